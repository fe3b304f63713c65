#include "programs/personalities/tini.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>

#include "config/loader.hpp"
#include "host/descendants.hpp"
#include "programs/personalities/single_child.hpp"
#include "programs/personalities/tini_options.hpp"

namespace slipway::program {
namespace {

enum class Level { kFatal, kWarning, kInformation, kDebug };

class Tini : public SingleChild {
 public:
  Tini(TiniOptions options, host::Launch launch)
      : SingleChild(std::move(launch), tini_signals()), options_(std::move(options)) {}

  /// What can fail before the command starts. False: it did, and was reported.
  bool prepare() {
    const int signal = options_.parent_death_signal;
    if (signal != 0 && ::prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0) {
      say(Level::kFatal, "cannot ask for a signal at the parent's death");
      return false;
    }
    if (options_.subreaper) {
      if (const auto done = host::become_subreaper(); !done) {
        say(Level::kFatal, done.error().message);
        return false;
      }
    }
    int adopts = 0;
    ::prctl(PR_GET_CHILD_SUBREAPER, &adopts, 0, 0, 0);
    if (!host::is_init() && adopts == 0) {
      say(Level::kWarning,
          "neither PID 1 nor a child subreaper: orphans go elsewhere and are not reaped here; use -s, set "
          "TINI_SUBREAPER, or run it as PID 1");
    }
    return true;
  }

 private:
  void say(Level level, const std::string& text) const {
    constexpr std::array<const char*, 4> kLabels{"FATAL", "WARN ", "INFO ", "DEBUG"};
    if (options_.verbosity < static_cast<int>(level)) return;
    print(level <= Level::kWarning ? STDERR_FILENO : STDOUT_FILENO,
          std::string("[") + kLabels[static_cast<std::size_t>(level)] + " tini (" + std::to_string(::getpid()) + ")] " +
              text + '\n');
  }

  void started(int pid) override {
    say(Level::kInformation, "started '" + options_.command.front() + "' with pid " + std::to_string(pid));
  }

  void received(int signal) override {
    say(Level::kDebug, "forwarding " + host::signal_name(signal));
    forward(signal, options_.kill_process_group);
  }

  void orphan_reaped(const host::ChildExit& orphan) override {
    const std::string text = "reaped an orphan, pid " + std::to_string(orphan.pid);
    say(options_.warn_on_reap ? Level::kWarning : Level::kDebug, text);
  }

  int ended(const host::ExitStatus& status) override {
    say(Level::kInformation, "'" + options_.command.front() + "' " + to_string(status));
    const int code = shell_code(status);
    return options_.to_zero.test(static_cast<std::size_t>(code) % options_.to_zero.size()) ? 0 : code;
  }

  int failed(int error, const std::string& reason) override {
    say(Level::kFatal, "cannot execute " + options_.command.front() + ": " + reason);
    const int code = error == ENOENT ? 127 : error == EACCES ? 126 : 1;
    return options_.to_zero.test(static_cast<std::size_t>(code)) ? 0 : code;
  }

  TiniOptions options_;
};

}  // namespace

host::SignalSet tini_signals() {
  constexpr std::array kNotReceived = {SIGKILL, SIGSTOP, SIGFPE, SIGILL,  SIGSEGV, SIGBUS,
                                       SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};
  host::SignalSet set{{}, {SIGTTIN, SIGTTOU}};
  for (int signal = 1; signal < NSIG; ++signal) {
    // Between the last standard signal and SIGRTMIN are those of the C library itself.
    const bool own = signal > SIGSYS && signal < SIGRTMIN;
    const bool left_out = std::find(kNotReceived.begin(), kNotReceived.end(), signal) != kNotReceived.end();
    if (!own && !left_out) set.received.push_back(signal);
  }
  return set;
}

int run_tini(int argc, char** argv, const host::SignalState& inherited) {
  auto options = parse_tini(argc, argv, config::process_environment());
  if (!options) return options.error().tell();
  host::Launch launch;
  launch.argv = options->command;
  launch.foreground = ::isatty(STDIN_FILENO) == 1;
  launch.signals = inherited;
  Tini tini(std::move(*options), std::move(launch));
  if (!tini.prepare()) return 1;
  tini.run();
}

}  // namespace slipway::program
