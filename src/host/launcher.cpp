#include "host/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <string_view>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/child_setup.hpp"
#include "host/fork_launcher.hpp"

namespace slipway::host {
namespace {

// What execvp(3) and shells fall back to, with the local directories Docker's images have in front.
constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const std::string* find_variable(const std::vector<std::string>& environment, std::string_view name) {
  for (const std::string& entry : environment) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) return &entry;
  }
  return nullptr;
}

bool passes(int error) { return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE; }

/// The variables login(1) would set, where the configuration does not.
std::vector<std::string> identity_variables(const std::vector<std::string>& environment, const Identity& identity) {
  std::vector<std::string> added;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty() && !find_variable(environment, name)) added.push_back(std::string(name) + "=" + value);
  };
  add("HOME", identity.home.empty() ? "/" : identity.home);
  add("USER", identity.name);
  add("LOGNAME", identity.name);
  return added;
}

std::vector<const char*> pointers(const std::vector<std::string>& first, const std::vector<std::string>& second = {}) {
  std::vector<const char*> result;
  result.reserve(first.size() + second.size() + 1);
  for (const auto* strings : {&first, &second}) {
    for (const std::string& text : *strings) result.push_back(text.c_str());
  }
  result.push_back(nullptr);
  return result;
}

Result<std::optional<CapabilityPlan>> plan_for(const Launch& launch, const std::optional<Identity>& identity) {
  const uid_t user = ::geteuid();
  const uid_t target = identity ? identity->uid : user;
  if (!needs_plan(launch.capabilities, user, target)) return std::nullopt;
  const bool no_gain = launch.no_new_privileges || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
  auto plan = plan_capabilities(launch.capabilities, own_capabilities(), user, target, no_gain);
  if (!plan) return tl::unexpected<Error>(plan.error());
  return *plan;
}

tl::unexpected<SpawnError> refuse(std::string message, bool retryable = false) {
  return tl::unexpected<SpawnError>(SpawnError{std::move(message), retryable});
}

}  // namespace

std::string search_path(const std::vector<std::string>& environment) {
  const std::string* entry = find_variable(environment, "PATH");
  return entry ? entry->substr(5) : kDefaultPath;
}

tl::expected<std::string, ProgramError> find_program(const std::string& name, const std::string& path,
                                                     const std::string& working_dir) {
  if (name.find('/') != std::string::npos) return name;
  std::string unusable;
  for (std::size_t begin = 0; begin <= path.size() && !name.empty();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    std::string directory = path.substr(begin, end - begin);
    begin = end + 1;
    if (!directory.starts_with('/') && !working_dir.empty()) directory = working_dir + "/" + directory;
    if (directory.empty()) directory = ".";
    const std::string candidate = directory + "/" + name;
    struct stat status{};
    if (::stat(candidate.c_str(), &status) != 0) continue;
    if (S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0) return candidate;
    if (unusable.empty()) {
      unusable = candidate + (S_ISDIR(status.st_mode) ? " is a directory" : " is not executable: chmod +x it");
    }
  }
  if (!unusable.empty()) {
    return tl::unexpected(ProgramError{"command '" + name + "': " + unusable, EACCES});
  }
  return tl::unexpected(ProgramError{"command '" + name + "' not found in PATH=" + path, ENOENT});
}

Launcher::Launcher(ChildTable& children) : children_(&children) {}

tl::expected<int, SpawnError> Launcher::launch(const Launch& launch, ChildTable::ExitHandler on_exit,
                                               ChildTable::GroupGoneHandler on_group_gone) try {
  if (launch.argv.empty()) return refuse("the command is empty");
  const auto program = find_program(launch.argv.front(), search_path(launch.environment), launch.working_dir);
  if (!program) return refuse(program.error().message);

  std::optional<Identity> identity;
  std::vector<std::string> added;
  if (!launch.user.empty() || !launch.group.empty() || !launch.supplementary_groups.empty()) {
    auto resolved = resolve_identity(launch.user, launch.group, launch.supplementary_groups);
    if (!resolved) return refuse(resolved.error().message);
    identity = std::move(*resolved);
    if (!launch.user.empty()) added = identity_variables(launch.environment, *identity);
  }

  auto capabilities = plan_for(launch, identity);
  if (!capabilities) return refuse(capabilities.error().message);
  char* own_pid = nullptr;
  if (!launch.pid_variable.empty()) {
    std::string& text = added.emplace_back(launch.pid_variable + "=" + std::string(ChildSetup::kPidDigits, '0'));
    own_pid = text.data() + launch.pid_variable.size() + 1;
  }

  std::vector<const char*> argv = pointers(launch.argv);
  const std::vector<const char*> environment = pointers(launch.environment, added);
  const int report = children_->report_descriptor();
  if (report < 0) return refuse(std::string("pipe: ") + ::strerror(errno), passes(errno));
  ChildSetup setup(launch, identity, *capabilities, report);
  setup.write_pid_to(own_pid);
  ForkLauncher forker;
  forker.env = environment.data();
  ForkLauncher::ErrorCode error;
  const int pid = forker.start(error, *program, argv.data(), setup);
  if (pid < 0) return refuse("fork: " + error.message(), passes(error.value()));
  try {
    children_->add(pid, std::move(on_exit), std::move(on_group_gone));
  } catch (const std::bad_alloc&) {
    send_signal(pid, SIGKILL, true);  // a process that nobody would know of; it is reaped as an orphan
    throw;
  }
  return pid;
} catch (const std::bad_alloc&) {
  return refuse("out of memory", true);
}

void send_signal(int pid, int signal, bool group) {
  // 0 and -1 have a meaning of their own for kill(2), which is never ours.
  if (pid > 1) ::kill(group ? -pid : pid, signal);
}

}  // namespace slipway::host
