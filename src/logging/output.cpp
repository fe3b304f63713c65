#include "logging/output.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <limits.h>
#include <numeric>
#include <poll.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace slipway::logging {
namespace {

constexpr std::size_t kPiecesPerCall = IOV_MAX;

enum class Way {
  kDirect,       ///< a file or a device that never makes one wait
  kNonBlocking,  ///< a description of our own
  kSocket,
  kPolled,  ///< may block: at most PIPE_BUF at a time, and only when poll(2) says so
};

}  // namespace

struct Output::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, int descriptor) : fd(descriptor), poller(context) { choose_way(); }
  ~Impl() {
    if (own_fd >= 0) ::close(own_fd);
  }

  int fd;
  int own_fd = -1;
  Way way = Way::kDirect;
  /// An epoll set of our own around the descriptor: Asio makes what it polls non-blocking, and this one is shared.
  boost::asio::posix::stream_descriptor poller;
  std::string buffer;
  std::size_t begin = 0;  ///< what precedes is written
  std::uint64_t dropped = 0;
  std::vector<std::function<void()>> drain_callbacks;
  std::function<void(std::uint64_t)> dropped_callback;
  bool is_full = false;
  bool is_broken = false;
  bool is_terminal = false;
  bool waiting = false;
  bool line_start = true;

  void choose_way();
  void open_poller();
  void watch(bool on);
  std::size_t pending() const { return buffer.size() - begin; }
  ssize_t write_some(const iovec* pieces, std::size_t count);
  std::size_t write_now(const iovec* pieces, std::size_t count);
  void keep(const iovec* pieces, std::size_t count, std::size_t skip);
  void empty_buffer();
  void wait();
  void after_progress();
};

void Output::Impl::choose_way() {
  struct stat status{};
  is_terminal = ::isatty(fd) == 1;
  if (::fstat(fd, &status) != 0) {
    is_broken = true;
    return;
  }
  if (S_ISSOCK(status.st_mode)) {
    way = Way::kSocket;
  } else if (S_ISFIFO(status.st_mode) || is_terminal) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    way = own_fd >= 0 ? Way::kNonBlocking : Way::kPolled;
  }
  // Without it (EMFILE, ENOSPC) what the reader does not take at once is lost, which is better than blocking.
  if (way != Way::kDirect) open_poller();
}

void Output::Impl::open_poller() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  boost::system::error_code error;
  if (set >= 0 && ::epoll_ctl(set, EPOLL_CTL_ADD, own_fd >= 0 ? own_fd : fd, &event) == 0) poller.assign(set, error);
  if (set >= 0 && !poller.is_open()) ::close(set);
}

/// Only while something waits: otherwise each read of the reader would wake PID 1.
void Output::Impl::watch(bool on) {
  epoll_event event{};
  event.events = on ? static_cast<std::uint32_t>(EPOLLOUT) : 0;
  ::epoll_ctl(poller.native_handle(), EPOLL_CTL_MOD, own_fd >= 0 ? own_fd : fd, &event);
}

ssize_t Output::Impl::write_some(const iovec* pieces, std::size_t count) {
  if (way == Way::kSocket) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces);
    message.msg_iovlen = count;
    return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (way == Way::kPolled) {
    pollfd ready{fd, POLLOUT, 0};
    if (::poll(&ready, 1, 0) <= 0) {
      errno = EAGAIN;
      return -1;
    }
    return ::write(fd, pieces->iov_base, std::min<std::size_t>(pieces->iov_len, PIPE_BUF));
  }
  return ::writev(own_fd >= 0 ? own_fd : fd, pieces, static_cast<int>(count));
}

/// Returns how many bytes are done with: written, or lost with a reader that is gone or a disk that is full.
std::size_t Output::Impl::write_now(const iovec* pieces, std::size_t count) {
  std::size_t done = 0;
  std::size_t offset = 0;  // into the first piece
  while (count > 0) {
    if (offset == pieces->iov_len) {
      ++pieces, --count, offset = 0;
      continue;
    }
    const iovec rest{static_cast<char*>(pieces->iov_base) + offset, pieces->iov_len - offset};
    const bool whole = offset == 0;
    const ssize_t bytes = write_some(whole ? pieces : &rest, whole ? std::min(count, kPiecesPerCall) : 1);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return done;
    if (bytes < 0) {
      is_broken = errno == EPIPE || errno == ECONNRESET || errno == EBADF;
      ++dropped;
      for (std::size_t i = 0; i < count; ++i) done += pieces[i].iov_len;
      return done - offset;
    }
    done += static_cast<std::size_t>(bytes);
    for (offset += static_cast<std::size_t>(bytes); count > 0 && offset >= pieces->iov_len; ++pieces, --count) {
      offset -= pieces->iov_len;
    }
  }
  return done;
}

void Output::Impl::keep(const iovec* pieces, std::size_t count, std::size_t skip) {
  if (!poller.is_open()) {
    const bool left = std::accumulate(pieces, pieces + count, std::size_t{0},
                                      [](std::size_t sum, const iovec& piece) { return sum + piece.iov_len; }) > skip;
    dropped += left ? 1 : 0;
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t skipped = std::min(skip, pieces[i].iov_len);
    buffer.append(static_cast<const char*>(pieces[i].iov_base) + skipped, pieces[i].iov_len - skipped);
    skip -= skipped;
  }
  if (pending() >= kCapacity) is_full = true;
  if (pending() > 0) wait();
}

void Output::Impl::empty_buffer() {
  while (pending() > 0) {
    const iovec piece{buffer.data() + begin, pending()};
    const std::size_t done = write_now(&piece, 1);
    begin += done;
    if (done == 0) break;
  }
  if (pending() == 0) {
    begin = 0;
    // A burst's memory is given back.
    if (buffer.capacity() > 4096) std::string().swap(buffer);
    buffer.clear();
  } else if (begin > kCapacity / 2) {
    buffer.erase(0, begin);
    begin = 0;
  }
}

void Output::Impl::wait() {
  if (waiting || !poller.is_open()) return;
  waiting = true;
  watch(true);
  poller.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      const auto self = weak.lock();
                      if (!self || error) return;
                      self->waiting = false;
                      self->watch(false);
                      self->empty_buffer();
                      if (self->pending() > 0) self->wait();
                      self->after_progress();
                    });
}

void Output::Impl::after_progress() {
  if (is_full && pending() > kCapacity / 2) return;
  const bool drained = std::exchange(is_full, false);
  for (std::size_t i = 0; drained && i < drain_callbacks.size(); ++i) drain_callbacks[i]();
  if (dropped > 0 && dropped_callback && !is_broken) dropped_callback(std::exchange(dropped, 0));
}

Output::Output(boost::asio::io_context& context, int fd) : impl_(std::make_shared<Impl>(context, fd)) {}
Output::~Output() = default;

void Output::write(const iovec* pieces, std::size_t count) {
  Impl& impl = *impl_;
  while (count > 0 && pieces[count - 1].iov_len == 0) --count;
  if (count == 0) return;
  const iovec& last = pieces[count - 1];
  impl.line_start = static_cast<const char*>(last.iov_base)[last.iov_len - 1] == '\n';
  if (impl.is_broken) return;
  impl.keep(pieces, count, impl.pending() == 0 ? impl.write_now(pieces, count) : 0);
}

void Output::write_line(std::string_view line) {
  Impl& impl = *impl_;
  if (impl.is_full) {
    ++impl.dropped;
    return;
  }
  char newline = '\n';
  const iovec pieces[] = {{&newline, impl.line_start ? 0U : 1U}, {const_cast<char*>(line.data()), line.size()}};
  write(pieces, 2);
}

bool Output::full() const { return impl_->is_full; }
void Output::on_drain(std::function<void()> callback) { impl_->drain_callbacks.push_back(std::move(callback)); }
void Output::on_dropped(std::function<void(std::uint64_t)> callback) { impl_->dropped_callback = std::move(callback); }
bool Output::at_line_start() const { return impl_->line_start; }
std::size_t Output::buffered() const { return impl_->pending(); }
bool Output::broken() const { return impl_->is_broken; }
bool Output::terminal() const { return impl_->is_terminal; }

std::size_t Output::flush(int milliseconds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  for (;;) {
    impl_->empty_buffer();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (impl_->pending() == 0 || left.count() <= 0) return impl_->pending();
    pollfd ready{impl_->own_fd >= 0 ? impl_->own_fd : impl_->fd, POLLOUT, 0};
    if (::poll(&ready, 1, static_cast<int>(left.count())) == 0) return impl_->pending();
  }
}

}  // namespace slipway::logging
