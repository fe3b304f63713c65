#include "host/clock_watch.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utility>

namespace slipway::host {
namespace {

bool arm(int fd) {
  itimerspec never{};
  // The kernel counts nanoseconds in 64 bits.
  never.it_value.tv_sec = static_cast<std::time_t>(std::numeric_limits<std::int64_t>::max() / 1'000'000'000);
  return ::timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, nullptr) == 0;
}

}  // namespace

struct ClockWatch::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, Handler h) : descriptor(context), changed(std::move(h)) {}

  void wait() {
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [weak = weak_from_this()](const boost::system::error_code& error) {
                            const auto self = weak.lock();
                            if (!self || error) return;
                            std::uint64_t expirations = 0;
                            // Fails with ECANCELED, which is the news; the timer stays armed.
                            const ssize_t got =
                                ::read(self->descriptor.native_handle(), &expirations, sizeof expirations);
                            const bool cancelled = got < 0 && errno == ECANCELED;
                            if (got >= 0) arm(self->descriptor.native_handle());
                            self->wait();
                            if (cancelled || got >= 0) self->changed();
                          });
  }

  boost::asio::posix::stream_descriptor descriptor;
  Handler changed;
};

ClockWatch::ClockWatch(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClockWatch::ClockWatch(ClockWatch&&) noexcept = default;
ClockWatch& ClockWatch::operator=(ClockWatch&&) noexcept = default;
ClockWatch::~ClockWatch() = default;

Result<ClockWatch> ClockWatch::open(boost::asio::io_context& context, Handler changed) {
  auto impl = std::make_shared<Impl>(context, std::move(changed));
  const int fd = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (fd < 0) return failure(ExitCode::kInternal, std::string("timerfd_create: ") + ::strerror(errno));
  boost::system::error_code error;
  impl->descriptor.assign(fd, error);
  if (error) {
    ::close(fd);
    return failure(ExitCode::kInternal, "epoll: " + error.message());
  }
  if (!arm(fd)) return failure(ExitCode::kInternal, std::string("timerfd_settime: ") + ::strerror(errno));
  impl->wait();
  return ClockWatch(std::move(impl));
}

}  // namespace slipway::host
