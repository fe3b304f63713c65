#pragma once
// The two ways a process says that it is ready: systemd's datagrams (sd_notify(3)) to a socket of ours, and s6's
// newline on a pipe.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/error.hpp"
#include "host/descriptor.hpp"

namespace boost::asio {
class io_context;
}

namespace slipway::host {

struct Notification {
  int pid = 0;    ///< of the sender, as the kernel vouches for it (SCM_CREDENTIALS)
  int group = 0;  ///< the sender's process group, which is the unit's pid; 0 when the sender is gone
  bool ready = false;
  std::string status;                                       ///< STATUS=, empty when absent
  std::vector<std::pair<std::string, std::string>> extras;  ///< X_SLIPWAY_* in the order received
};

/// One abstract datagram socket for all units. The handler must check that `pid` or `group` is one of its units
/// before it believes anything: every process of the network namespace can send here.
class NotifySocket {
 public:
  using Handler = std::function<void(const Notification&)>;
  [[nodiscard]] static Result<NotifySocket> open(boost::asio::io_context& context, Handler handler);
  NotifySocket(NotifySocket&&) noexcept;
  NotifySocket& operator=(NotifySocket&&) noexcept;
  ~NotifySocket();

  /// The value for NOTIFY_SOCKET: "@" and the name.
  [[nodiscard]] const std::string& address() const;

 private:
  struct Impl;
  explicit NotifySocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Parses one datagram; unknown and malformed lines are ignored.
[[nodiscard]] Notification parse_notification(std::string_view datagram);

/// A pipe whose write end the child inherits under its `notify_fd`. The handler is called once, at the first newline;
/// an end of file without one means nothing. Destruction closes both ends.
class NotifyPipe {
 public:
  [[nodiscard]] static Result<NotifyPipe> open(boost::asio::io_context& context, std::function<void()> on_ready);
  NotifyPipe(NotifyPipe&&) noexcept;
  NotifyPipe& operator=(NotifyPipe&&) noexcept;
  ~NotifyPipe();

  /// The end for Launch::descriptors; -1 once closed.
  [[nodiscard]] int child_end() const;
  /// To be called after the launch, so that the child's copy is the only one.
  void close_child_end();

 private:
  struct Impl;
  explicit NotifyPipe(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
