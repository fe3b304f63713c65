#include "host/child_setup.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace slipway::host {
namespace {

/// A container without /dev/null still starts: reading gives end-of-file, writing fails.
int open_null(bool for_input) {
  const int fd = ::open("/dev/null", (for_input ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
  int ends[2];
  if (fd >= 0 || ::pipe2(ends, O_CLOEXEC) != 0) return fd;
  ::close(ends[for_input ? 1 : 0]);
  return ends[for_input ? 0 : 1];
}

/// What we inherited ourselves without close-on-exec must not reach the program.
void close_others_on_exec() {
  if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const int last = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 65536));
  for (int fd = 3; fd < last; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void write_number(char (&text)[12], int value) {
  char reversed[12];
  int length = 0;
  do reversed[length++] = static_cast<char>('0' + value % 10);
  while ((value /= 10) > 0);
  for (int i = 0; i < length; ++i) text[i] = reversed[length - 1 - i];
  text[length] = '\0';
}

bool same_groups(const Identity& identity) {
  std::vector<gid_t> current(static_cast<std::size_t>(std::max(0, ::getgroups(0, nullptr))));
  if (::getgroups(static_cast<int>(current.size()), current.data()) < 0) return false;
  std::vector<gid_t> wanted = identity.groups;
  for (auto* groups : {&current, &wanted}) {
    groups->push_back(identity.gid);
    std::sort(groups->begin(), groups->end());
    groups->erase(std::unique(groups->begin(), groups->end()), groups->end());
  }
  return current == wanted;
}

}  // namespace

ChildSetup::ChildSetup(const Launch& launch, const std::optional<Identity>& identity,
                       const std::optional<CapabilityPlan>& capabilities, int report)
    : launch_(&launch),
      identity_(&identity),
      capabilities_(&capabilities),
      options_(launch),
      report_(report),
      above_(STDERR_FILENO + 1) {
  redirections_.reserve(3 + launch.descriptors.size());
  redirections_.push_back({STDIN_FILENO, launch.stdin_fd, -1});
  redirections_.push_back({STDOUT_FILENO, launch.stdout_fd, -1});
  redirections_.push_back({STDERR_FILENO, launch.stderr_fd, -1});
  for (const InheritedDescriptor& descriptor : launch.descriptors) {
    redirections_.push_back({descriptor.child, descriptor.parent, -1});
    above_ = std::max(above_, descriptor.child + 1);
  }
  if (!identity) return;
  // Without privileges one keeps the groups one has, unless others were asked for.
  const bool already = ::geteuid() == identity->uid && ::getegid() == identity->gid;
  const bool may_keep = already && ::geteuid() != 0 && launch.supplementary_groups.empty();
  set_groups_ = !may_keep && !same_groups(*identity);
  identity_text_ = (identity->name.empty() ? "uid " : identity->name + " (uid ") + std::to_string(identity->uid) +
                   ", gid " + std::to_string(identity->gid) + (identity->name.empty() ? "" : ")");
}

bool ChildSetup::step(StartStage stage, const char* detail, bool ok) {
  if (ok) return true;
  error_ = errno;
  stage_ = stage;
  detail_ = detail;
  return false;
}

bool ChildSetup::run() {
  const std::string& directory = launch_->working_dir;
  if (own_pid_) {
    write_number(number_, ::getpid());
    ::memcpy(own_pid_, number_, sizeof number_);
  }
  if (!step(StartStage::kGroup, "", take_place())) return false;
  if (!step(StartStage::kTerminal, "", take_terminal())) return false;
  if (!step(StartStage::kStreams, number_, arrange_descriptors())) return false;
  if (!constrain() || !change_privileges()) return false;
  if (launch_->umask) ::umask(*launch_->umask);
  if (!directory.empty() && !step(StartStage::kDirectory, directory.c_str(), ::chdir(directory.c_str()) == 0)) {
    return false;
  }
  return step(StartStage::kMask, "", reset_signals()) &&
         step(StartStage::kPrivileges, "", options_.forbid_new_privileges());
}

/// While it is still root, where it is: each of these may need a capability.
bool ChildSetup::constrain() {
  if (!step(StartStage::kMemory, options_.oom_score(), options_.adjust_oom_score())) return false;
  const bool limited = options_.set_limits();
  return step(StartStage::kLimit, options_.failed_limit(), limited) &&
         step(StartStage::kPriority, options_.priority(), options_.set_priority());
}

bool ChildSetup::change_privileges() {
  const std::optional<CapabilityPlan>& plan = *capabilities_;
  if (plan && !step(StartStage::kBounding, "", prepare_capabilities(*plan))) return false;
  if (*identity_ && !step(StartStage::kIdentity, identity_text_.c_str(), become_identity())) return false;
  return !plan || step(StartStage::kCapabilities, "", take_capabilities(*plan));
}

bool ChildSetup::take_place() {
  switch (launch_->placement) {
    case Placement::kOwnGroup:
      return ::setpgid(0, 0) == 0;
    case Placement::kOwnSession:
      if (::setsid() < 0) return false;
      ::ioctl(launch_->stdin_fd, TIOCSCTTY, 0);  // nothing to take where it is no terminal, or another session's
      return true;
    case Placement::kParentsGroup:
      break;
  }
  return true;
}

void ChildSetup::lead_group(int pid) const {
  // The leader of a group cannot make a session.
  if (launch_->placement != Placement::kOwnGroup) return;
  // The child does the same: whoever comes first. It may have executed already (EACCES) or be gone (ESRCH).
  const int saved = errno;
  ::setpgid(pid, pid);
  errno = saved;
}

bool ChildSetup::take_terminal() {
  if (!launch_->foreground) return true;
  // Not a terminal, or not our controlling one: nothing to take. SIGTTOU would stop us, so it is ignored until reset.
  ::signal(SIGTTOU, SIG_IGN);
  return ::tcsetpgrp(launch_->stdin_fd, ::getpid()) == 0 || errno == ENOTTY || errno == EBADF || errno == EPERM;
}

bool ChildSetup::arrange_descriptors() {
  const int report = ::fcntl(report_, F_DUPFD_CLOEXEC, above_);
  if (report < 0) return false;
  report_ = report;
  for (Redirection& redirection : redirections_) {
    write_number(number_, redirection.child);
    const int source = redirection.parent >= 0 ? redirection.parent : open_null(redirection.child == STDIN_FILENO);
    redirection.moved = source < 0 ? -1 : ::fcntl(source, F_DUPFD_CLOEXEC, above_);
    if (redirection.moved < 0) return false;
  }
  if (!launch_->keep_descriptors) close_others_on_exec();
  for (const Redirection& redirection : redirections_) {
    write_number(number_, redirection.child);
    if (::dup2(redirection.moved, redirection.child) < 0) return false;
  }
  return true;
}

bool ChildSetup::become_identity() {
  const Identity& identity = **identity_;
  if (set_groups_ && ::setgroups(identity.groups.size(), identity.groups.data()) != 0) return false;
  return ::setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         ::setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

bool ChildSetup::reset_signals() const {
  const SignalState* const wanted = launch_->signals ? &*launch_->signals : nullptr;
  struct sigaction action{};
  for (int signal = 1; signal < NSIG; ++signal) {
    action.sa_handler = wanted != nullptr && ::sigismember(&wanted->ignored, signal) == 1 ? SIG_IGN : SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigprocmask(SIG_SETMASK, wanted != nullptr ? &wanted->mask : &none, nullptr) == 0;
}

void ChildSetup::report(int error) const {
  StartReport record;
  record.pid = ::getpid();
  record.stage = stage_;
  record.error = error;
  ::strncpy(record.detail, detail_, sizeof record.detail - 1);
  while (::write(report_, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

}  // namespace slipway::host
