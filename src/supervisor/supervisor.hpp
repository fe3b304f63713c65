#pragma once
// The loop of PID 1: turns what the kernel and the control socket say into the engine's events, and performs the
// commands that come back. It contains no policy. One thread; run() blocks in epoll and nowhere else.

#include <memory>

#include "config/error.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Supervisor {
 public:
  explicit Supervisor(Setup setup);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Boots, supervises and stops. Returns the container's exit code when nothing of it is left.
  /// Errors: something PID 1 cannot do without was refused before any unit started (signalfd(2), another Slipway on
  /// the control socket).
  [[nodiscard]] Result<int> run();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::supervisor
