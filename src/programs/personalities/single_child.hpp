#pragma once
// An init of one command: starts it, hands every signal to the personality, reaps orphans, and ends when the command
// does. No restarts, no sweep: what is left over is the kernel's to end, as under the originals.

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>

#include "host/child_table.hpp"
#include "host/launcher.hpp"
#include "host/signals.hpp"

namespace slipway::program {

class SingleChild {
 public:
  /// `launch.argv` is the command; a file that is no program is handed to /bin/sh, as execvp(3) does.
  SingleChild(host::Launch launch, host::SignalSet signals);
  virtual ~SingleChild() = default;
  SingleChild(const SingleChild&) = delete;
  SingleChild& operator=(const SingleChild&) = delete;

  /// Runs the command and ends this process with its exit code. It does not return, so that signals stay blocked to
  /// the end: one that comes too late must not replace the exit code.
  [[noreturn]] void run();

 protected:
  virtual void started(int /*pid*/) {}
  virtual void received(int signal) = 0;
  virtual void orphan_reaped(const host::ChildExit& /*orphan*/) {}
  /// The command ended; gives our exit code.
  virtual int ended(const host::ExitStatus& status) = 0;
  /// The command could not be started (errno `error`); gives our exit code.
  virtual int failed(int error, const std::string& reason) = 0;

  /// Sends a signal to the command, or to its group. Nothing when it has ended.
  void forward(int signal, bool group) const;
  /// Sends a signal to those that the command left behind in its group.
  void signal_survivors(int signal) const;

  /// 128 + n for a signal, as shells have it.
  static int shell_code(const host::ExitStatus& status);

 private:
  void start();
  void start_with_shell();
  void on_exit(const host::ChildExit& exit);

  host::Launch launch_;
  host::SignalSet signals_;
  boost::asio::io_context context_;
  host::ChildTable children_;
  host::Launcher launcher_;
  int pid_ = 0;
  bool alive_ = false;
  bool with_shell_ = false;
  std::string directory_;  ///< where it was started, which a personality may leave
  std::optional<int> code_;
};

/// This process's environment, unchanged.
[[nodiscard]] std::vector<std::string> own_environment();

}  // namespace slipway::program
