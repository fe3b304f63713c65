#include "control/protocol.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace slipway::control {
namespace {

namespace json = boost::json;

struct OperationName {
  std::string_view name;
  Operation operation;
  Verb verb;
};
constexpr OperationName kOperations[] = {
    {"status", Operation::kStatus, Verb::kStart},   {"health", Operation::kHealth, Verb::kStart},
    {"start", Operation::kAct, Verb::kStart},       {"stop", Operation::kAct, Verb::kStop},
    {"restart", Operation::kAct, Verb::kRestart},   {"signal", Operation::kAct, Verb::kSignal},
    {"logs", Operation::kLogs, Verb::kStart},       {"wait", Operation::kWait, Verb::kStart},
    {"observe", Operation::kObserve, Verb::kStart}, {"reload", Operation::kReload, Verb::kReload},
    {"scale", Operation::kScale, Verb::kStart},     {"reload", Operation::kAct, Verb::kReload},
};
constexpr std::size_t kMostLines = 100000;
constexpr std::int64_t kMostReplicas = 10'000;

tl::unexpected<Error> bad(std::string what) { return failure(ExitCode::kUsage, "request: " + std::move(what)); }

std::string string_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

bool bool_of(const json::object& object, std::string_view key, bool otherwise) {
  const json::value* value = object.if_contains(key);
  const bool* flag = value != nullptr ? value->if_bool() : nullptr;
  return flag != nullptr ? *flag : otherwise;
}

std::int64_t int_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_number()) return 0;
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

/// What utc_time() wrote.
std::optional<std::chrono::system_clock::time_point> time_of(const json::object& object, std::string_view key) {
  const std::string text = string_of(object, key);
  std::tm parts{};
  int milliseconds = 0;
  const int read = std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%3dZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                               &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &milliseconds);
  if (read != 7) return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return std::chrono::system_clock::from_time_t(::timegm(&parts)) + std::chrono::milliseconds(milliseconds);
}

Result<void> read_operation(const json::object& object, Request& request) {
  const std::string name = string_of(object, "do");
  const auto* found = std::find_if(std::begin(kOperations), std::end(kOperations),
                                   [&](const OperationName& each) { return each.name == name; });
  if (found == std::end(kOperations))
    return bad(
        "do: unknown or missing: this Slipway knows status, health, start, "
        "stop, restart, signal, reload, scale, logs, wait and observe");
  request.operation = found->operation;
  request.verb = found->verb;
  // With units it asks them to read their own configuration again.
  if (request.operation == Operation::kReload && object.contains("units")) request.operation = Operation::kAct;
  return {};
}

Result<void> read_units(const json::object& object, Request& request) {
  const json::value* units = object.if_contains("units");
  if (units == nullptr) return {};
  if (!units->is_array()) return bad("units: a list of names is needed");
  for (const json::value& unit : units->get_array()) {
    const json::string* name = unit.if_string();
    if (name == nullptr || name->empty()) return bad("units: a list of names is needed");
    request.units.emplace_back(*name);
  }
  return {};
}

Result<void> read_number(const json::object& object, std::string_view key, std::int64_t low, std::int64_t high,
                         std::int64_t& number) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return {};
  const std::int64_t* given = value->if_int64();
  if (given == nullptr || *given < low || *given > high) {
    return bad(std::string(key) + ": a number from " + std::to_string(low) + " to " + std::to_string(high) +
               " is needed");
  }
  number = *given;
  return {};
}

Result<void> read_milestone(const json::object& object, Request& request) {
  if (!object.contains("for")) return {};
  const std::string name = string_of(object, "for");
  for (const Milestone each : {Milestone::kReady, Milestone::kMigrated, Milestone::kStopped}) {
    if (name != to_string(each)) continue;
    request.milestone = each;
    return {};
  }
  return bad("for: ready, migrated or stopped is needed");
}

Result<void> check_complete(const Request& request) {
  if (request.operation == Operation::kScale && request.worker.empty()) return bad("worker: the name of one is needed");
  if (request.operation != Operation::kAct) return {};
  if (request.units.empty()) return bad("units: name at least one");
  if (request.verb == Verb::kSignal && request.signal == 0) return bad("signal: a number from 1 to 64 is needed");
  return {};
}

ContainerStatus container_from_json(const json::object& object) {
  ContainerStatus container;
  container.name = string_of(object, "name");
  const std::string state = string_of(object, "state");
  for (const ContainerState each :
       {ContainerState::kBooting, ContainerState::kReady, ContainerState::kDegraded, ContainerState::kStopping}) {
    if (state == to_string(each)) container.state = each;
  }
  container.ready = bool_of(object, "ready", false);
  container.migrated = bool_of(object, "migrated", false);
  container.boot_id = string_of(object, "boot_id");
  container.version = string_of(object, "version");
  container.pid = static_cast<int>(int_of(object, "pid"));
  container.uptime = std::chrono::milliseconds(int_of(object, "uptime_ms"));
  container.config_source = string_of(object, "config");
  return container;
}

/// How many bytes the sequence at `text` has, 0 if it is not UTF-8 (RFC 3629: no overlong forms, no surrogates).
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool allowed = (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) < 0xA0);
    return allowed && continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool allowed = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
    return allowed && continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

const char* to_string(Verb verb) {
  switch (verb) {
    case Verb::kStart:
      return "start";
    case Verb::kStop:
      return "stop";
    case Verb::kRestart:
      return "restart";
    case Verb::kSignal:
      return "signal";
    case Verb::kReload:
      return "reload";
  }
  return "unknown";
}

const char* to_string(Milestone milestone) {
  switch (milestone) {
    case Milestone::kReady:
      return "ready";
    case Milestone::kMigrated:
      return "migrated";
    case Milestone::kStopped:
      return "stopped";
  }
  return "unknown";
}

std::string serialize(const Request& request) {
  json::object object;
  object["v"] = kProtocolVersion;
  for (const OperationName& each : kOperations) {
    if (each.operation != request.operation) continue;
    if (request.operation == Operation::kAct && each.verb != request.verb) continue;
    object["do"] = each.name;
  }
  if (!request.units.empty()) object["units"] = json::array(request.units.begin(), request.units.end());
  const bool replans = request.operation == Operation::kReload || request.operation == Operation::kScale;
  if (request.operation == Operation::kAct || replans) object["wait"] = request.wait;
  if (request.operation == Operation::kReload) object["dry_run"] = request.dry_run;
  if (request.operation == Operation::kScale) {
    object["worker"] = request.worker;
    object["replicas"] = request.replicas;
  }
  if (request.signal != 0) object["signal"] = request.signal;
  if (request.operation == Operation::kLogs) {
    object["lines"] = request.lines;
    object["follow"] = request.follow;
  }
  if (request.operation == Operation::kWait) object["for"] = to_string(request.milestone);
  return to_line(object);
}

Result<Request> parse_request(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return bad("one JSON object per line is needed");
  const json::object& object = value.get_object();
  std::int64_t version = kProtocolVersion;
  if (!read_number(object, "v", 0, 1 << 20, version) || version != kProtocolVersion) {
    return bad("v: this Slipway speaks version " + std::to_string(kProtocolVersion) +
               ": use the slipway program of this container");
  }
  Request request;
  std::int64_t signal = 0;
  std::int64_t replicas = -1;
  auto lines = static_cast<std::int64_t>(request.lines);
  if (auto read = read_operation(object, request); !read) return tl::unexpected(read.error());
  if (auto read = read_units(object, request); !read) return tl::unexpected(read.error());
  if (auto read = read_number(object, "signal", 1, 64, signal); !read) return tl::unexpected(read.error());
  if (auto read = read_number(object, "lines", 0, kMostLines, lines); !read) return tl::unexpected(read.error());
  if (auto read = read_number(object, "replicas", 0, kMostReplicas, replicas); !read) {
    return tl::unexpected(read.error());
  }
  if (auto read = read_milestone(object, request); !read) return tl::unexpected(read.error());
  request.signal = static_cast<int>(signal);
  request.lines = static_cast<std::size_t>(lines);
  request.wait = bool_of(object, "wait", true);
  request.follow = bool_of(object, "follow", false);
  request.dry_run = bool_of(object, "dry_run", false);
  request.worker = string_of(object, "worker");
  if (request.operation == Operation::kScale && replicas < 0) return bad("replicas: a number is needed");
  request.replicas = static_cast<unsigned>(std::max<std::int64_t>(replicas, 0));
  if (auto complete = check_complete(request); !complete) return tl::unexpected(complete.error());
  return request;
}

json::object to_json(const ContainerStatus& container) {
  json::object object;
  object["name"] = valid_utf8(container.name);
  object["state"] = to_string(container.state);
  object["ready"] = container.ready;
  object["migrated"] = container.migrated;
  object["boot_id"] = valid_utf8(container.boot_id);
  object["version"] = valid_utf8(container.version);
  object["pid"] = container.pid;
  object["uptime_ms"] = container.uptime.count();
  object["config"] = valid_utf8(container.config_source);
  return object;
}

json::object to_json(const UnitStatus& unit) {
  json::object object;
  object["name"] = valid_utf8(unit.name);
  object["worker"] = valid_utf8(unit.worker);
  object["kind"] = valid_utf8(unit.kind);
  object["state"] = valid_utf8(unit.state);
  object["pid"] = unit.pid;
  object["since_ms"] = unit.since.count();
  object["restarts"] = unit.restarts;
  object["last_exit"] = nullptr;
  if (unit.last_exit) {
    object["last_exit"] = json::object{{"text", valid_utf8(unit.last_exit->text)}, {"code", unit.last_exit->code}};
  }
  object["reason"] = valid_utf8(unit.reason);
  object["status"] = valid_utf8(unit.status);
  object["reloading"] = unit.reloading;
  object["ready_by"] = valid_utf8(unit.ready_by);
  if (unit.kind == "scheduled") {
    object["next_run"] = nullptr;
    object["last_run"] = nullptr;
    if (unit.next_run) object["next_run"] = utc_time(*unit.next_run);
    if (unit.last_run) object["last_run"] = utc_time(*unit.last_run);
    object["skipped_runs"] = unit.skipped_runs;
  }
  object["built_in"] = unit.built_in;
  object["enabled"] = unit.enabled;
  return object;
}

json::object to_json(const Snapshot& snapshot) {
  json::object object;
  object["container"] = to_json(snapshot.container);
  json::array units;
  for (const UnitStatus& unit : snapshot.units) units.push_back(to_json(unit));
  object["units"] = std::move(units);
  return object;
}

UnitStatus unit_from_json(const json::object& object) {
  UnitStatus unit;
  unit.name = string_of(object, "name");
  unit.worker = string_of(object, "worker");
  unit.kind = string_of(object, "kind");
  unit.state = string_of(object, "state");
  unit.pid = static_cast<int>(int_of(object, "pid"));
  unit.since = std::chrono::milliseconds(int_of(object, "since_ms"));
  unit.restarts = static_cast<unsigned>(int_of(object, "restarts"));
  const json::value* exit = object.if_contains("last_exit");
  if (exit != nullptr && exit->is_object()) {
    unit.last_exit =
        LastExit{string_of(exit->get_object(), "text"), static_cast<int>(int_of(exit->get_object(), "code"))};
  }
  unit.reason = string_of(object, "reason");
  unit.status = string_of(object, "status");
  unit.reloading = bool_of(object, "reloading", false);
  unit.ready_by = string_of(object, "ready_by");
  unit.next_run = time_of(object, "next_run");
  unit.last_run = time_of(object, "last_run");
  unit.skipped_runs = static_cast<unsigned>(int_of(object, "skipped_runs"));
  unit.built_in = bool_of(object, "built_in", false);
  unit.enabled = bool_of(object, "enabled", true);
  return unit;
}

Snapshot snapshot_from_json(const json::object& object) {
  Snapshot snapshot;
  const json::value* container = object.if_contains("container");
  if (container != nullptr && container->is_object()) snapshot.container = container_from_json(container->get_object());
  const json::value* units = object.if_contains("units");
  if (units == nullptr || !units->is_array()) return snapshot;
  for (const json::value& unit : units->get_array()) {
    if (unit.is_object()) snapshot.units.push_back(unit_from_json(unit.get_object()));
  }
  return snapshot;
}

json::object refusal(std::string_view code, std::string_view error) {
  json::object object;
  object["ok"] = false;
  object["code"] = code;
  object["error"] = valid_utf8(error);
  return object;
}

std::string to_line(const json::object& object) { return json::serialize(object) + "\n"; }

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    valid += length > 0 ? text.substr(0, length) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return valid;
}

std::string utc_time(std::chrono::system_clock::time_point time) {
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  const std::time_t seconds = static_cast<std::time_t>(since_epoch.count() / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(since_epoch.count() % 1000));
  return text;
}

}  // namespace slipway::control
