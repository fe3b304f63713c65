#pragma once
// The container's signals as events. They are blocked and read from a signalfd(2), so no code of ours ever runs in a
// signal handler. Children get an empty mask and default dispositions from the launcher.

#include <functional>
#include <memory>

#include "config/error.hpp"

namespace boost::asio {
class io_context;
}

namespace slipway::host {

class Signals {
 public:
  using Handler = std::function<void(int signal)>;

  /// Blocks the same signals, so that one that comes before open() waits for it: without a handler the kernel drops
  /// what is sent to PID 1. For the first thing a program does; the exec of something else must undo it.
  static void hold();

  /// Blocks CHLD TERM INT HUP QUIT USR1 USR2 WINCH, ignores PIPE, TTIN and TTOU (a background group writing to its
  /// terminal must not stop PID 1), and calls `handler` from the event loop for each signal received; what it throws is
  /// thrown by the loop, after the rest of the signals were handled. Destruction restores the mask and the
  /// dispositions. Errors: signalfd(2) refused.
  [[nodiscard]] static Result<Signals> open(boost::asio::io_context& context, Handler handler);
  Signals(Signals&&) noexcept;
  Signals& operator=(Signals&&) noexcept;
  ~Signals();

 private:
  struct Impl;
  explicit Signals(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
