#pragma once
// Tells when the time of day was set or the machine slept: what a monotonic clock does not see. A timer of the kernel
// that never runs out and is cancelled by such a change (timerfd_create(2)); until then nothing wakes up.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "config/error.hpp"

namespace slipway::host {

class ClockWatch {
 public:
  using Handler = std::function<void()>;

  /// Calls `changed` from the context after each change, until this is destroyed. Errors: no descriptors are left.
  [[nodiscard]] static Result<ClockWatch> open(boost::asio::io_context& context, Handler changed);

  ClockWatch(ClockWatch&&) noexcept;
  ClockWatch& operator=(ClockWatch&&) noexcept;
  ~ClockWatch();

 private:
  struct Impl;
  explicit ClockWatch(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
