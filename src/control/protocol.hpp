#pragma once
// The control socket's language: one JSON object per line in each direction. A request is answered by one line, in
// order; `logs` with `follow` is followed by one line per log line until either side closes.
//
//   {"v":1,"do":"status"}                                 {"ok":true,"container":{...},"units":[...]}
//   {"do":"restart","units":["web"],"wait":true}          {"ok":true,"units":[...]}           once they are up again
//   {"do":"reload","dry_run":false}                       {"ok":true,"applied":true,"changes":[...],"units":[...]}
//   {"do":"scale","worker":"web","replicas":4}            likewise
//   {"do":"wait","for":"ready"}                           {"ok":true}                         once it holds
//   {"do":"observe"}                                      {"ok":true}     from here on this connection may only look
//   anything wrong                                        {"ok":false,"code":"unknown_unit","error":"..."}
//
// Unknown members are ignored, so either side may be newer; a version other than kProtocolVersion is refused.

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/error.hpp"
#include "control/handler.hpp"
#include "control/snapshot.hpp"

namespace slipway::control {

inline constexpr int kProtocolVersion = 1;
/// The longest request, line end included. Longer ones end the connection.
inline constexpr std::size_t kMaxRequest = std::size_t{64} << 10;

enum class Operation { kStatus, kHealth, kAct, kLogs, kWait, kObserve, kReload, kScale };
enum class Milestone { kReady, kMigrated, kStopped };

[[nodiscard]] const char* to_string(Milestone milestone);

struct Request {
  Operation operation = Operation::kStatus;
  Verb verb = Verb::kStart;  ///< for kAct
  std::vector<std::string> units;
  int signal = 0;                           ///< for Verb::kSignal
  bool wait = true;                         ///< kAct: answer once the goal is reached; false: once it is accepted
  bool dry_run = false;                     ///< for kReload
  std::string worker;                       ///< for kScale
  unsigned replicas = 0;                    ///< for kScale
  std::size_t lines = 100;                  ///< for kLogs
  bool follow = false;                      ///< for kLogs
  Milestone milestone = Milestone::kReady;  ///< for kWait
};

/// One line, with its line end.
[[nodiscard]] std::string serialize(const Request& request);
/// Errors: not a JSON object, another version, an unknown operation, a member of the wrong type.
[[nodiscard]] Result<Request> parse_request(std::string_view line);

[[nodiscard]] boost::json::object to_json(const ContainerStatus& container);
[[nodiscard]] boost::json::object to_json(const UnitStatus& unit);
[[nodiscard]] boost::json::object to_json(const Snapshot& snapshot);
/// Missing members keep their defaults.
[[nodiscard]] UnitStatus unit_from_json(const boost::json::object& object);
[[nodiscard]] Snapshot snapshot_from_json(const boost::json::object& object);

/// `{"ok":false,...}`. The codes are bad_request, too_long, busy, forbidden, unknown_unit, refused and failed.
[[nodiscard]] boost::json::object refusal(std::string_view code, std::string_view error);

/// One line, with its line end.
[[nodiscard]] std::string to_line(const boost::json::object& object);

/// The text with every byte that is not UTF-8 replaced by U+FFFD, so that any reader's JSON parser takes it.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// 2026-11-21T08:40:00.123Z
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point time);

}  // namespace slipway::control
