#include "programs/personalities/dumb_init.hpp"

#include <cerrno>
#include <csignal>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include "config/loader.hpp"
#include "programs/personalities/dumb_init_options.hpp"
#include "programs/personalities/single_child.hpp"

namespace slipway::program {
namespace {

class DumbInit : public SingleChild {
 public:
  DumbInit(DumbInitOptions options, host::Launch launch)
      : SingleChild(std::move(launch), dumb_init_signals()), options_(std::move(options)) {}

  /// Gives the terminal up, for the command's session to take. The kernel then hangs up on a session's leader, which
  /// is no news for the command.
  void release_terminal() {
    if (!options_.own_session) return;
    const bool released = ::ioctl(STDIN_FILENO, TIOCNOTTY) == 0;
    awaited_hangup_ = awaited_continue_ = released && ::getsid(0) == ::getpid();
    debug(released ? "gave up the terminal" : "no terminal to give up");
  }

 private:
  void debug(const std::string& text) const {
    if (options_.debug) print(STDERR_FILENO, "[dumb-init] " + text + '\n');
  }

  void started(int pid) override {
    debug("started with pid " + std::to_string(pid));
    // Whatever the working directory is, its file system can be unmounted. Without the permission it stays.
    if (::chdir("/") != 0) debug("cannot change to /");
  }

  void received(int signal) override {
    debug("received signal " + std::to_string(signal));
    if (signal == SIGHUP && std::exchange(awaited_hangup_, false)) return;
    if (signal == SIGCONT && std::exchange(awaited_continue_, false)) return;
    const int rewritten = options_.rewrites[static_cast<std::size_t>(signal)];
    debug(rewritten == 0 ? "which is dropped" : "forwarding signal " + std::to_string(rewritten));
    if (rewritten != 0) forward(rewritten, options_.own_session);
    if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return;
    debug("stopping too, until SIGCONT");
    ::kill(::getpid(), SIGSTOP);
  }

  void orphan_reaped(const host::ChildExit& orphan) override {
    debug("orphan " + std::to_string(orphan.pid) + " " + to_string(orphan.status));
  }

  int ended(const host::ExitStatus& status) override {
    debug("the command " + to_string(status));
    // As if it were received: it may have been rewritten.
    const int last = options_.rewrites[SIGTERM];
    if (options_.own_session && last != 0) signal_survivors(last);
    return shell_code(status);
  }

  int failed(int /*error*/, const std::string& reason) override {
    constexpr int kCannotExecute = 2;
    print(STDERR_FILENO, "[dumb-init] " + options_.command.front() + ": " + reason + '\n');
    return kCannotExecute;
  }

  DumbInitOptions options_;
  bool awaited_hangup_ = false;
  bool awaited_continue_ = false;
};

}  // namespace

host::SignalSet dumb_init_signals() {
  host::SignalSet set;
  for (int signal = 1; signal <= kDumbInitSignals; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) set.received.push_back(signal);
  return set;
}

int run_dumb_init(int argc, char** argv) {
  auto options = parse_dumb_init(argc, argv, config::process_environment());
  if (!options) return options.error().tell();
  host::Launch launch;
  launch.argv = options->command;
  launch.placement = options->own_session ? host::Placement::kOwnSession : host::Placement::kParentsGroup;
  DumbInit init(std::move(*options), std::move(launch));
  init.release_terminal();
  init.run();
}

}  // namespace slipway::program
