#include "database/migration_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "database/line_relay.hpp"
#include "host/descendants.hpp"
#include "host/descriptor.hpp"
#include "host/launcher.hpp"

namespace slipway::database {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ProcessOutcome::Kind;
constexpr auto kGrace = std::chrono::seconds(10);
constexpr auto kKillInterval = std::chrono::milliseconds(20);
constexpr std::array kSignals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};

std::string reason_of(int error) { return std::generic_category().message(error); }

/// The signals arrive at a descriptor instead of ending us.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &old_);
    descriptor_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~SignalsHeld() { ::sigprocmask(SIG_SETMASK, &old_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }
  /// A signal that asks us to stop, or 0. SIGCHLD only wakes the caller.
  [[nodiscard]] int take() const {
    int found = 0;
    signalfd_siginfo info{};
    while (::read(descriptor_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo != SIGCHLD) found = static_cast<int>(info.ssi_signo);
    }
    return found;
  }

 private:
  sigset_t old_{};
  host::Descriptor descriptor_;
};

/// What the child needs, prepared before the fork because nothing may be allocated after it.
struct Prepared {
  std::string program;
  std::vector<char*> argv;
  std::vector<std::string> assignments;
  std::vector<char*> environment;
};

/// What went wrong between fork and exec.
struct StartFailure {
  char stage[16];
  int error;
};

[[noreturn]] void give_up(int report, const char* stage) {
  StartFailure failure{};
  failure.error = errno;
  for (std::size_t i = 0; stage[i] != '\0' && i + 1 < sizeof failure.stage; ++i) failure.stage[i] = stage[i];
  const ssize_t put = ::write(report, &failure, sizeof failure);
  ::_exit(put > 0 ? 127 : 126);
}

/// Async-signal-safe: system calls only.
[[noreturn]] void become_command(const ProcessRequest& request, const Prepared& prepared, int out, int err, int report,
                                 pid_t parent) {
  const auto& identity = request.identity;
  if (::geteuid() == 0 && identity.uid != 0) {
    if (::setgroups(identity.groups.size(), identity.groups.data()) != 0) give_up(report, "setgroups");
    if (::setresgid(identity.gid, identity.gid, identity.gid) != 0) give_up(report, "setgid");
    if (::setresuid(identity.uid, identity.uid, identity.uid) != 0) give_up(report, "setuid");
  }
  // After the change of user, which clears it.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(report, "prctl");
  if (::getppid() != parent) ::_exit(127);
  if (!request.working_dir.empty() && ::chdir(request.working_dir.c_str()) != 0) give_up(report, "chdir");
  const int null = ::open("/dev/null", O_RDONLY);
  if (::dup2(null, STDIN_FILENO) < 0 || ::dup2(out, STDOUT_FILENO) < 0 || ::dup2(err, STDERR_FILENO) < 0) {
    give_up(report, "dup2");
  }
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (request.kept_descriptor >= 0) ::fcntl(request.kept_descriptor, F_SETFD, 0);
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(prepared.program.c_str(), prepared.argv.data(), prepared.environment.data());
  give_up(report, "execve");
}

tl::expected<Prepared, std::string> prepare(const ProcessRequest& request) {
  config::StringMap environment = request.environment;
  if (::geteuid() == 0 && request.identity.uid != 0 && !request.identity.name.empty()) {
    environment["HOME"] = request.identity.home;
    environment["USER"] = request.identity.name;
    environment["LOGNAME"] = request.identity.name;
  }
  const auto path = environment.find("PATH");
  auto program =
      host::find_program(request.argv.front(), path == environment.end() ? "" : path->second, request.working_dir);
  if (!program) return tl::unexpected(program.error().message);
  Prepared result;
  result.program = std::move(*program);
  for (const auto& word : request.argv) result.argv.push_back(const_cast<char*>(word.c_str()));
  result.argv.push_back(nullptr);
  for (const auto& [name, value] : environment) result.assignments.push_back(name + "=" + value);
  for (auto& each : result.assignments) result.environment.push_back(each.data());
  result.environment.push_back(nullptr);
  return result;
}

/// Follows one command from its start to its end.
class Follower {
 public:
  Follower(const ProcessRequest& request, const SignalsHeld& signals)
      : request_(request),
        signals_(signals),
        out_(request.quiet ? -1 : STDOUT_FILENO),
        err_(request.quiet ? -1 : STDERR_FILENO) {}

  ProcessOutcome run() {
    start();
    while (pid_ > 0) {
      wait_for_something();
      // Before the child is looked at: a SIGCHLD taken afterwards could be the last one.
      const int stop = signals_.take();
      reap(stop);
      if (pid_ > 0) consider_ending(stop);
    }
    drain();
    out_.finish();
    err_.finish();
    if (ending_) end_descendants();
    outcome_.standard_output = out_.beginning();
    const auto& lines = err_.last_lines().empty() ? out_.last_lines() : err_.last_lines();
    outcome_.last_lines.assign(lines.begin(), lines.end());
    return std::move(outcome_);
  }

 private:
  void fail(const std::string& why) {
    outcome_.kind = Kind::kNotStarted;
    outcome_.reason = why;
  }

  void start() {
    auto prepared = prepare(request_);
    if (!prepared) return fail(prepared.error());
    host::Pipe out = host::make_pipe();
    host::Pipe err = host::make_pipe();
    host::Pipe report = host::make_pipe();
    if (!out.read || !err.read || !report.read) return fail("pipe: " + reason_of(errno));
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {
      become_command(request_, *prepared, out.write.get(), err.write.get(), report.write.get(), parent);
    }
    if (pid_ < 0) return fail("fork: " + reason_of(errno));
    report.write.reset();
    StartFailure failure{};
    if (::read(report.read.get(), &failure, sizeof failure) == sizeof failure) {
      ::waitpid(pid_, nullptr, 0);
      pid_ = -1;
      const std::string what = std::strcmp(failure.stage, "chdir") == 0 ? request_.working_dir : prepared->program;
      return fail(std::string(failure.stage) + " " + what + ": " + reason_of(failure.error));
    }
    out_pipe_ = std::move(out.read);
    err_pipe_ = std::move(err.read);
    ::fcntl(out_pipe_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(err_pipe_.get(), F_SETFL, O_NONBLOCK);
  }

  static void read_into(host::Descriptor& pipe, LineRelay& relay) {
    std::array<char, 16384> buffer{};
    while (pipe) {
      const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
      if (got > 0) {
        relay.feed({buffer.data(), static_cast<std::size_t>(got)});
      } else if (got == 0) {
        pipe.reset();
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  /// Never waits for an end of file: something the command started may hold the pipe for ever.
  void drain() {
    read_into(out_pipe_, out_);
    read_into(err_pipe_, err_);
  }

  void wait_for_something() {
    const auto until = ending_ ? next_kill_ : request_.deadline;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    std::array<pollfd, 3> watched{pollfd{signals_.descriptor(), POLLIN, 0}, pollfd{out_pipe_.get(), POLLIN, 0},
                                  pollfd{err_pipe_.get(), POLLIN, 0}};
    ::poll(watched.data(), watched.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 60000)));
    drain();
  }

  void reap(int stop) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
    pid_ = -1;
    if (ending_) return;
    outcome_.kind = WIFEXITED(status) ? Kind::kExited : Kind::kSignaled;
    outcome_.value = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
    // The same signal goes to the whole group: the command that died of it did not fail.
    if (stop != 0) interrupt(stop);
  }

  void interrupt(int signal) {
    outcome_.kind = Kind::kInterrupted;
    outcome_.value = signal;
    begin_ending();
  }

  void begin_ending() {
    ending_ = true;
    next_kill_ = Clock::now() + kGrace;
    for (const int pid : host::descendants()) host::signal_descendant(pid, SIGTERM);
  }

  void consider_ending(int stop) {
    if (!ending_ && stop != 0) return interrupt(stop);
    if (!ending_ && Clock::now() >= request_.deadline) {
      outcome_.kind = Kind::kTimedOut;
      return begin_ending();
    }
    if (ending_ && Clock::now() >= next_kill_) {
      host::send_signal(pid_, SIGKILL, false);
      next_kill_ = Clock::now() + kKillInterval;
    }
  }

  /// The command is gone; what it started is ours now (subreaper) and follows.
  void end_descendants() {
    for (;;) {
      // Looked for first: what died before the look is reaped after it, so an empty list leaves no zombie.
      const auto left = host::descendants();
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      if (left.empty()) return;
      const bool kill_now = Clock::now() >= next_kill_;
      for (const int pid : left) {
        if (kill_now) host::signal_descendant(pid, SIGKILL);
      }
      ::poll(nullptr, 0, static_cast<int>(kKillInterval.count()));
    }
  }

  const ProcessRequest& request_;
  const SignalsHeld& signals_;
  LineRelay out_;
  LineRelay err_;
  host::Descriptor out_pipe_;
  host::Descriptor err_pipe_;
  pid_t pid_ = -1;
  bool ending_ = false;
  Clock::time_point next_kill_;
  ProcessOutcome outcome_;
};

}  // namespace

std::string ProcessOutcome::describe() const {
  switch (kind) {
    case Kind::kExited:
      return "exited with " + std::to_string(value);
    case Kind::kSignaled:
      return "was killed by signal " + std::to_string(value) + " (" + ::strsignal(value) + ")";
    case Kind::kNotStarted:
      return "could not be started: " + reason;
    case Kind::kTimedOut:
      return "did not finish in time and was ended";
    case Kind::kInterrupted:
      return "was stopped by signal " + std::to_string(value) + " (" + ::strsignal(value) + ")";
  }
  return "";
}

ProcessOutcome run_process(const ProcessRequest& request) {
  // Best effort: without it only grandchildren escape.
  [[maybe_unused]] const Result<void> adopting = host::become_subreaper();
  const SignalsHeld signals;
  return Follower(request, signals).run();
}

}  // namespace slipway::database
