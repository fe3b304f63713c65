#pragma once
// The two ways a process says that it is ready: systemd's datagrams (sd_notify(3)) to a socket of ours, and s6's
// newline on a pipe.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
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

/// One datagram of sd_notify(3). Descriptors that came with it are closed before the handler sees it: none is kept
/// (FDSTORE), and who waits for that (BARRIER) knows then that what it sent before was taken. ERRNO, BUSERROR,
/// EXIT_STATUS, MONOTONIC_USEC and whatever is unknown say nothing that Slipway needs.
struct Notification {
  int pid = 0;    ///< of the sender, as the kernel vouches for it (SCM_CREDENTIALS); 0: of another PID namespace
  int group = 0;  ///< the sender's process group, which is the unit's pid; 0 when the sender is gone
  /// Why the datagram was not read (its other members say nothing); nullptr: it was.
  const char* problem = nullptr;
  bool ready = false;
  bool reloading = false;
  bool stopping = false;
  bool alive = false;    ///< WATCHDOG=1
  bool trigger = false;  ///< WATCHDOG=trigger
  bool main_pid = false;
  bool stores_descriptors = false;
  std::optional<std::string> status;
  std::optional<std::chrono::milliseconds> watchdog_interval;  ///< rounded up; at most ten years
  std::optional<std::chrono::milliseconds> extend_timeout;
  std::vector<std::pair<std::string, std::string>> extras;  ///< X_SLIPWAY_* in the order received
};

/// One abstract datagram socket for all units: it needs no directory that workers of other users, with other roots or
/// a read-only file system could reach. The handler must check that the sender is one of its units before it believes
/// anything: every process of the network namespace can send here.
class NotifySocket {
 public:
  using Handler = std::function<void(const Notification&)>;
  [[nodiscard]] static Result<NotifySocket> open(boost::asio::io_context& context, Handler handler);
  NotifySocket(NotifySocket&&) noexcept;
  NotifySocket& operator=(NotifySocket&&) noexcept;
  ~NotifySocket();

  /// The value for NOTIFY_SOCKET: "@" and the name.
  [[nodiscard]] const std::string& address() const;
  /// Handles what has arrived, up to a bound, without waiting for the loop's turn.
  void receive_pending();

 private:
  struct Impl;
  explicit NotifySocket(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Parses one datagram; unknown and malformed lines are ignored, of several equal ones the last counts.
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
