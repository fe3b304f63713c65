#pragma once
// A supervisor made of plain values: tests say what units there are and see what was asked of them.

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "control/handler.hpp"

namespace slipway::control {

inline UnitStatus make_unit(std::string name, std::string state, std::string kind = "service") {
  UnitStatus unit;
  unit.name = std::move(name);
  unit.worker = unit.name.substr(0, unit.name.find('['));
  unit.kind = std::move(kind);
  unit.state = std::move(state);
  return unit;
}

class FakeHandler : public Handler {
 public:
  struct Call {
    Verb verb{};
    std::size_t unit = 0;
    int signal = 0;
    bool operator==(const Call&) const = default;
  };

  [[nodiscard]] ContainerStatus container() const override { return status; }
  [[nodiscard]] std::size_t unit_count() const override { return units.size(); }
  [[nodiscard]] std::vector<std::size_t> listing() const override {
    std::vector<std::size_t> all(units.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
  }
  [[nodiscard]] UnitStatus unit(std::size_t index) const override { return units[index]; }
  [[nodiscard]] std::optional<std::string> act(Verb verb, std::size_t unit, int signal) override {
    calls.push_back({verb, unit, signal});
    if (!refuse_with.empty()) return refuse_with;
    if (verb == Verb::kStart) units[unit].state = "starting";
    if (verb == Verb::kStop || verb == Verb::kRestart) units[unit].state = "stopping";
    return std::nullopt;
  }
  [[nodiscard]] std::vector<LogLine> logs(const std::vector<std::size_t>& wanted, std::size_t count) const override {
    std::vector<LogLine> found;
    for (const LogLine& line : lines) {
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), line.unit) != wanted.end()) found.push_back(line);
    }
    if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
    return found;
  }

  ContainerStatus status;
  std::vector<UnitStatus> units;
  std::vector<LogLine> lines;
  std::vector<Call> calls;
  std::string refuse_with;
};

}  // namespace slipway::control
