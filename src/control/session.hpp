#pragma once
// One connection to the control socket: reads a line, answers it, reads the next. Owned by its own outstanding
// operations and by the server's list; after close() it touches nothing but itself.

#include <array>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/requests.hpp"
#include "control/server.hpp"

namespace slipway::control {

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  /// `closed` is called once, when the connection ends by itself; not after close().
  Session(Socket socket, Handler& handler, const ServerOptions& options, std::function<void(Session&)> closed);

  void start();
  /// Ends it without a word: no callback follows.
  void close();

  /// Something changed: a waiting request may have its answer now.
  void look_again();
  [[nodiscard]] bool waiting() const { return waiting_ != nullptr; }

  [[nodiscard]] bool follows(std::size_t unit) const;
  [[nodiscard]] bool following() const { return following_.has_value(); }
  /// Queues one line for a follower; counts it instead when too much is unread.
  void deliver(const std::string& line);

 private:
  void read();
  void on_read(std::size_t size);
  void serve_next();
  void serve(std::string_view line);
  void send(const boost::json::object& reply);
  void write();
  void on_written(std::size_t size);
  void report_lost_lines();
  void send_backlog();
  void end();
  void arm_deadline();
  void disarm_deadline();
  template <typename Step>
  void guarded(Step step);

  Socket socket_;
  boost::asio::steady_timer deadline_;
  Handler& handler_;
  const ServerOptions& options_;
  std::function<void(Session&)> closed_callback_;
  std::array<char, 4096> chunk_{};
  std::string inbox_;
  std::string outbox_;  ///< being written from `written_` on
  std::size_t written_ = 0;
  std::unique_ptr<Waiting> waiting_;
  std::optional<Following> following_;
  std::optional<Backlog> backlog_;
  std::size_t behind_ = 0;    ///< lines of a follower that came while older ones were on their way
  std::size_t expected_ = 0;  ///< of these, how many the backlog should give
  std::size_t lost_lines_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool observer_ = false;
  bool ending_ = false;  ///< close once everything is written
  bool closed_ = false;
};

}  // namespace slipway::control
