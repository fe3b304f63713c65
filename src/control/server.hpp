#pragma once
// The control socket's server inside PID 1. One thread, the caller's io_context, no blocking call, bounded memory: a
// client that floods, stalls or lies costs its own connection and nothing else.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "config/error.hpp"
#include "control/handler.hpp"

namespace slipway::control {

struct ServerOptions {
  std::string path;
  unsigned mode = 0600;
  /// Name or number. Its members may connect; the socket then gets this group and the group's read and write bits.
  std::string group;
  std::size_t max_clients = 64;
  /// What one client may leave unread before it is dropped; a follower of logs loses lines, counted, instead.
  std::size_t max_unread = std::size_t{1} << 20;
  /// A client that neither reads nor finishes its first request for this long is dropped.
  std::chrono::milliseconds stall_limit = std::chrono::seconds(30);
};

class Server {
 public:
  /// Creates the socket under a temporary name with its final owner and mode, then renames it into place, so that it
  /// is never open to others; replaces a stale socket, and makes the directory (0755) if it is missing.
  /// Errors: another Slipway answers on it, the path is no socket, too long or not writable, an unknown group.
  /// `context` and `handler` must outlive the server.
  [[nodiscard]] static Result<std::unique_ptr<Server>> listen(boost::asio::io_context& context,
                                                              const ServerOptions& options, Handler& handler);
  /// Closes every connection and removes the socket if it is still this server's.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Call after every change of a unit or of the container. Cheap, and free when nobody waits: waiting requests are
  /// looked at once in the next turn of the loop, however often it was called.
  void notify_changed();

  /// Whether anybody follows the logs, so that publish() need not be called.
  [[nodiscard]] bool followed() const;
  /// Hands one captured line to those who follow this unit (kSlipway: PID 1's own).
  void publish(std::size_t unit, std::string_view text);

  [[nodiscard]] std::size_t clients() const;

 private:
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::control
