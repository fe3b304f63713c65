#include "web/metrics.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace slipway::web {
namespace {

constexpr std::array<const char*, 12> kStates{"inactive",  "scheduled", "waiting",  "starting", "running", "ready",
                                              "unhealthy", "backoff",   "stopping", "exited",   "failed",  "skipped"};

/// Label values escape backslash, quote and line end; nothing else has a meaning there.
std::string label(const std::string& value) {
  std::string out = "\"";
  for (const char byte : value) {
    if (byte == '\n') {
      out += "\\n";
    } else {
      if (byte == '\\' || byte == '"') out += '\\';
      out += byte;
    }
  }
  return out + "\"";
}

void declare(std::string& out, const std::string& name, const char* type, const char* help) {
  out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

std::string seconds(std::chrono::milliseconds duration) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%03lld", static_cast<long long>(duration.count() / 1000),
                static_cast<long long>(duration.count() % 1000));
  return text;
}

void gauge(std::string& out, const std::string& name, const char* help, const std::string& value) {
  declare(out, name, "gauge", help);
  out += name + " " + value + "\n";
}

void container_metrics(std::string& out, const control::ContainerStatus& container) {
  declare(out, "slipway_info", "gauge", "Always 1; the labels say what runs.");
  out += "slipway_info{name=" + label(container.name) + ",version=" + label(container.version) +
         ",boot_id=" + label(container.boot_id) + "} 1\n";
  gauge(out, "slipway_ready", "1 when every unit is up.", container.ready ? "1" : "0");
  gauge(out, "slipway_migrated", "1 when this boot's migration has succeeded.", container.migrated ? "1" : "0");
  gauge(out, "slipway_uptime_seconds", "Since this boot began.", seconds(container.uptime));
}

template <typename Value>
void per_unit(std::string& out, const control::Snapshot& snapshot, const std::string& name, const char* type,
              const char* help, Value value) {
  declare(out, name, type, help);
  for (const control::UnitStatus& unit : snapshot.units) {
    out += name + "{unit=" + label(unit.name) + ",worker=" + label(unit.worker) + "} " + value(unit) + "\n";
  }
}

}  // namespace

std::string metrics_text(const control::Snapshot& snapshot) {
  std::string out;
  container_metrics(out, snapshot.container);
  declare(out, "slipway_units", "gauge", "Units by state.");
  for (const char* state : kStates) {
    const auto count = std::count_if(snapshot.units.begin(), snapshot.units.end(),
                                     [&](const control::UnitStatus& unit) { return unit.state == state; });
    out += "slipway_units{state=\"" + std::string(state) + "\"} " + std::to_string(count) + "\n";
  }
  using Unit = control::UnitStatus;
  per_unit(out, snapshot, "slipway_unit_up", "gauge", "1 while the unit has a process.",
           [](const Unit& unit) { return unit.pid != 0 ? "1" : "0"; });
  per_unit(out, snapshot, "slipway_unit_restarts_total", "counter", "Restarts in this boot.",
           [](const Unit& unit) { return std::to_string(unit.restarts); });
  per_unit(out, snapshot, "slipway_unit_skipped_runs_total", "counter", "Due runs that did not take place.",
           [](const Unit& unit) { return std::to_string(unit.skipped_runs); });
  per_unit(out, snapshot, "slipway_unit_state_seconds", "gauge", "How long the unit has been in its state.",
           [](const Unit& unit) { return seconds(unit.since); });
  return out;
}

}  // namespace slipway::web
