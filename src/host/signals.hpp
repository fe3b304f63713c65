#pragma once
// The container's signals as events. They are blocked and read from a signalfd(2), so no code of ours ever runs in a
// signal handler. Children get an empty mask and default dispositions from the launcher.

#include <csignal>
#include <functional>
#include <memory>
#include <vector>

#include "config/error.hpp"

namespace boost::asio {
class io_context;
}

namespace slipway::host {

/// Which signals are blocked and become events, and which are ignored.
struct SignalSet {
  std::vector<int> received;
  std::vector<int> ignored;
};

/// CHLD TERM INT HUP QUIT USR1 USR2 WINCH are received. PIPE, TTIN and TTOU are ignored: a background group writing to
/// its terminal must not stop PID 1.
[[nodiscard]] SignalSet supervisor_signals();

/// What exec(2) hands on: the mask, and which signals are ignored.
struct SignalState {
  sigset_t mask{};
  sigset_t ignored{};
};
[[nodiscard]] SignalState current_signal_state();

class Signals {
 public:
  using Handler = std::function<void(int signal)>;

  /// Blocks the same signals, so that one that comes before open() waits for it: without a handler the kernel drops
  /// what is sent to PID 1. For the first thing a program does; the exec of something else must undo it.
  static void hold(const SignalSet& set = supervisor_signals());

  /// Calls `handler` from the event loop for each signal received; what it throws is thrown by the loop, after the rest
  /// of the signals were handled. Destruction restores the mask and the dispositions. Errors: signalfd(2) refused.
  [[nodiscard]] static Result<Signals> open(boost::asio::io_context& context, Handler handler,
                                            const SignalSet& set = supervisor_signals());
  Signals(Signals&&) noexcept;
  Signals& operator=(Signals&&) noexcept;
  ~Signals();

 private:
  struct Impl;
  explicit Signals(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
