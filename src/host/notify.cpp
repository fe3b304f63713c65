#include "host/notify.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace slipway::host {
namespace {

using boost::asio::posix::stream_descriptor;

constexpr std::size_t kLongestDatagram = 4096;
constexpr int kDatagramsPerTurn = 32;

/// The sender's credentials. Descriptors that a stranger attached are closed.
std::optional<ucred> take_ancillary(msghdr& message) {
  std::optional<ucred> sender;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) {
      sender.emplace();
      std::memcpy(&*sender, CMSG_DATA(header), sizeof *sender);
    } else if (header->cmsg_type == SCM_RIGHTS) {
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        ::close(fd);
      }
    }
  }
  return sender;
}

std::optional<std::chrono::milliseconds> parse_microseconds(std::string_view text) {
  constexpr std::uint64_t kLongest = 315'360'000'000'000;  // ten years
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if (error != std::errc() || value > kLongest) value = kLongest;
  return std::chrono::milliseconds((value + 999) / 1000);
}

void parse_assignment(std::string_view name, std::string_view value, Notification& into) {
  if (name == "READY") into.ready |= value == "1";
  if (name == "RELOADING") into.reloading |= value == "1";
  if (name == "STOPPING") into.stopping |= value == "1";
  if (name == "WATCHDOG") into.alive |= value == "1";
  if (name == "WATCHDOG") into.trigger |= value == "trigger";
  if (name == "MAINPID") into.main_pid = true;
  if (name == "FDSTORE") into.stores_descriptors |= value == "1";
  if (name == "STATUS") into.status = value;
  if (name == "WATCHDOG_USEC") into.watchdog_interval = parse_microseconds(value);
  if (name == "EXTEND_TIMEOUT_USEC") into.extend_timeout = parse_microseconds(value);
  if (name.starts_with("X_SLIPWAY_")) into.extras.emplace_back(name, value);
}

}  // namespace

Notification parse_notification(std::string_view datagram) {
  Notification notification;
  while (datagram.ends_with('\0')) datagram.remove_suffix(1);
  if (datagram.find('\0') != std::string_view::npos) {
    notification.problem = "it holds NUL bytes";
    return notification;
  }
  while (!datagram.empty()) {
    const std::size_t end = std::min(datagram.find('\n'), datagram.size());
    const std::string_view line = datagram.substr(0, end);
    datagram.remove_prefix(std::min(end + 1, datagram.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    parse_assignment(line.substr(0, equals), line.substr(equals + 1), notification);
  }
  return notification;
}

struct NotifySocket::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, Handler h) : descriptor(context), handler(std::move(h)) {}

  stream_descriptor descriptor;
  Handler handler;
  std::string address;

  void wait() {
    descriptor.async_wait(stream_descriptor::wait_read,
                          [weak = weak_from_this()](const boost::system::error_code& error) {
                            const auto self = weak.lock();
                            if (!self || error) return;
                            try {
                              self->receive_some();
                            } catch (...) {
                              if (self.use_count() > 1) self->wait();
                              throw;
                            }
                            if (self.use_count() > 1) self->wait();
                          });
  }

  void receive_some() {
    const auto self = shared_from_this();  // the handler may destroy the socket
    for (int i = 0; i < kDatagramsPerTurn && self.use_count() > 1 && receive(); ++i) {
    }
  }

  bool receive() {
    char text[kLongestDatagram];
    alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(16 * sizeof(int))];
    iovec piece{text, sizeof text};
    msghdr message{};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = ancillary;
    message.msg_controllen = sizeof ancillary;
    const ssize_t bytes = ::recvmsg(descriptor.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (bytes < 0) return errno == EINTR;
    const auto sender = take_ancillary(message);
    if (!sender) return true;
    Notification notification;
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      notification.problem = "it is longer than 4096 bytes";
    } else {
      notification = parse_notification({text, static_cast<std::size_t>(bytes)});
    }
    notification.pid = sender->pid;
    notification.group = sender->pid > 0 ? std::max(0, ::getpgid(sender->pid)) : 0;
    handler(notification);
    return true;
  }
};

NotifySocket::NotifySocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
NotifySocket::NotifySocket(NotifySocket&&) noexcept = default;
NotifySocket& NotifySocket::operator=(NotifySocket&&) noexcept = default;
NotifySocket::~NotifySocket() = default;

const std::string& NotifySocket::address() const { return impl_->address; }
void NotifySocket::receive_pending() { impl_->receive_some(); }

Result<NotifySocket> NotifySocket::open(boost::asio::io_context& context, Handler handler) {
  const auto refused = [](const char* what, int error) {
    return failure(ExitCode::kInternal, std::string("notification socket: ") + what + ": " + ::strerror(error));
  };
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return refused("socket", errno);
  // An address of the family alone makes the kernel choose a free abstract name (unix(7), autobind).
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const int on = 1;
  if (::bind(socket.get(), generic, sizeof address.sun_family) != 0) return refused("bind", errno);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return refused("SO_PASSCRED", errno);
  socklen_t length = sizeof address;
  if (::getsockname(socket.get(), generic, &length) != 0) return refused("getsockname", errno);

  auto impl = std::make_shared<Impl>(context, std::move(handler));
  impl->address = "@";
  impl->address.append(address.sun_path + 1, length - offsetof(sockaddr_un, sun_path) - 1);
  boost::system::error_code error;
  impl->descriptor.assign(socket.get(), error);
  if (error) return refused("epoll", error.value());
  (void)socket.release();
  impl->wait();
  return NotifySocket(std::move(impl));
}

struct NotifyPipe::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, std::function<void()> ready)
      : descriptor(context), on_ready(std::move(ready)) {}

  stream_descriptor descriptor;
  std::function<void()> on_ready;
  Descriptor child_end;

  void wait() {
    descriptor.async_wait(stream_descriptor::wait_read,
                          [weak = weak_from_this()](const boost::system::error_code& error) {
                            if (const auto self = weak.lock(); self && !error) self->read();
                          });
  }

  void read() {
    char text[512];
    const ssize_t bytes = ::read(descriptor.native_handle(), text, sizeof text);
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) return wait();
    if (bytes > 0 && !std::memchr(text, '\n', static_cast<std::size_t>(bytes))) return wait();
    boost::system::error_code ignored;
    descriptor.close(ignored);
    const auto ready = std::exchange(on_ready, nullptr);
    if (bytes > 0 && ready) ready();
  }
};

NotifyPipe::NotifyPipe(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
NotifyPipe::NotifyPipe(NotifyPipe&&) noexcept = default;
NotifyPipe& NotifyPipe::operator=(NotifyPipe&&) noexcept = default;
NotifyPipe::~NotifyPipe() = default;

int NotifyPipe::child_end() const { return impl_->child_end.get(); }
void NotifyPipe::close_child_end() { impl_->child_end.reset(); }

Result<NotifyPipe> NotifyPipe::open(boost::asio::io_context& context, std::function<void()> on_ready) {
  Pipe pipe = make_pipe();
  if (!pipe.read) return failure(ExitCode::kInternal, std::string("notification pipe: ") + ::strerror(errno));
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  auto impl = std::make_shared<Impl>(context, std::move(on_ready));
  boost::system::error_code error;
  impl->descriptor.assign(pipe.read.get(), error);
  if (error) return failure(ExitCode::kInternal, "notification pipe: epoll: " + error.message());
  (void)pipe.read.release();
  impl->child_end = std::move(pipe.write);
  impl->wait();
  return NotifyPipe(std::move(impl));
}

}  // namespace slipway::host
