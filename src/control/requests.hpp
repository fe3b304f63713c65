#pragma once
// What each request means, free of sockets: the answer at once, or something to look at again after every change.

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "control/handler.hpp"
#include "control/protocol.hpp"

namespace slipway::control {

/// A request whose answer lies in the future. Holds no resource: forgetting it is cancelling it.
class Waiting {
 public:
  virtual ~Waiting() = default;
  /// The answer, once there is one.
  [[nodiscard]] virtual std::optional<boost::json::object> look(const Handler& handler) = 0;
};

/// Which units' lines a connection receives from now on.
struct Following {
  std::vector<bool> units;  ///< by index
  bool slipway = false;     ///< PID 1's own lines as well
};

/// Kept lines on their way to one client, a bounded part at a time.
class Backlog {
 public:
  Backlog(const Handler& handler, std::vector<std::size_t> units, std::size_t lines);

  /// {lines: [...]}, with `more: true` when it was not all.
  [[nodiscard]] boost::json::object next(const Handler& handler);
  [[nodiscard]] bool done() const { return range_.empty(); }
  /// Also the lines that have come since.
  void extend(const Handler& handler);
  /// How many lines next() has given since the last extend().
  [[nodiscard]] std::size_t given() const { return given_; }

 private:
  std::vector<std::size_t> units_;
  std::vector<std::string> names_;
  LogRange range_;
  std::size_t given_ = 0;
};

/// Exactly one of reply and waiting is set.
struct Outcome {
  std::optional<boost::json::object> reply;
  std::unique_ptr<Waiting> waiting;
  std::optional<Following> following;
  std::optional<Backlog> backlog;  ///< what does not fit into the reply
  bool observe = false;            ///< this connection may only look from now on
};

/// `observer`: the connection has given up the right to act and to read logs.
[[nodiscard]] Outcome answer(const Request& request, Handler& handler, bool observer);

[[nodiscard]] Snapshot take_snapshot(const Handler& handler);

/// By index, also of units that a reload took away.
[[nodiscard]] std::vector<std::string> unit_names(const Handler& handler);

/// A log line as it is sent.
[[nodiscard]] boost::json::object line_to_json(std::string_view unit, std::chrono::system_clock::time_point time,
                                               std::string_view text);

}  // namespace slipway::control
