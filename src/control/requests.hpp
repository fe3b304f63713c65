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

/// Exactly one of reply and waiting is set.
struct Outcome {
  std::optional<boost::json::object> reply;
  std::unique_ptr<Waiting> waiting;
  std::optional<Following> following;
  bool observe = false;  ///< this connection may only look from now on
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
