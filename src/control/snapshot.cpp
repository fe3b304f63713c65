#include "control/snapshot.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace slipway::control {
namespace {

bool is_up(const UnitStatus& unit) {
  if (!unit.enabled || unit.state == "ready" || unit.kind == "scheduled") return true;
  return unit.kind == "oneshot" ? unit.state == "exited" : unit.state == "running" && unit.ready_by.empty();
}

}  // namespace

const char* to_string(ContainerState state) {
  switch (state) {
    case ContainerState::kBooting:
      return "booting";
    case ContainerState::kReady:
      return "ready";
    case ContainerState::kDegraded:
      return "degraded";
    case ContainerState::kStopping:
      return "stopping";
  }
  return "unknown";
}

bool is_final(const UnitStatus& unit) {
  constexpr std::array<std::string_view, 4> kFinal{"inactive", "exited", "failed", "skipped"};
  return std::find(kFinal.begin(), kFinal.end(), unit.state) != kFinal.end();
}

std::string why_not_ready(const Snapshot& snapshot) {
  if (snapshot.container.ready) return {};
  if (snapshot.container.state == ContainerState::kStopping) return "the container is stopping";
  const auto down = [](const UnitStatus& unit) { return !is_up(unit); };
  // What failed explains more than what waits for it.
  const auto failed = [](const UnitStatus& unit) { return unit.state == "failed" || unit.state == "unhealthy"; };
  auto culprit = std::find_if(snapshot.units.begin(), snapshot.units.end(), failed);
  if (culprit == snapshot.units.end()) culprit = std::find_if(snapshot.units.begin(), snapshot.units.end(), down);
  if (culprit == snapshot.units.end()) return "not ready yet";
  std::string why = culprit->name + " is " + culprit->state;
  if (!culprit->reason.empty()) why += ": " + culprit->reason;
  const auto others = std::count_if(snapshot.units.begin(), snapshot.units.end(), down) - 1;
  if (others > 0) why += " (and " + std::to_string(others) + (others == 1 ? " more unit)" : " more units)");
  return why;
}

}  // namespace slipway::control
