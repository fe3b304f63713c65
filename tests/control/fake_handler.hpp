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
  [[nodiscard]] LogRange last_logs(const std::vector<std::size_t>& wanted, std::size_t count) const override {
    std::size_t from = lines.size();
    for (; from > 0 && count > 0; --from) count -= selected(wanted, lines[from - 1]) ? 1 : 0;
    return {from, lines.size()};
  }
  [[nodiscard]] std::vector<LogLine> read_logs(const std::vector<std::size_t>& wanted, LogRange& range,
                                               std::size_t bytes) const override {
    std::vector<LogLine> found;
    for (std::size_t size = 0; !range.empty() && size < bytes; ++range.from) {
      const LogLine& line = lines[range.from];
      if (line.text == kForgotten || !selected(wanted, line)) continue;
      found.push_back(line);
      size += line.text.size();
    }
    return found;
  }
  [[nodiscard]] bool captured(std::size_t unit) const override { return unit != uncaptured; }

  static bool selected(const std::vector<std::size_t>& wanted, const LogLine& line) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), line.unit) != wanted.end();
  }
  static constexpr const char* kForgotten = "forgotten";

  std::size_t uncaptured = static_cast<std::size_t>(-2);

  [[nodiscard]] std::uint64_t reload(bool dry_run) override {
    replans.emplace_back(dry_run ? "reload --dry-run" : "reload");
    return 1;
  }
  [[nodiscard]] std::uint64_t scale(const std::string& worker, unsigned replicas) override {
    replans.push_back("scale " + worker + " " + std::to_string(replicas));
    return 1;
  }
  [[nodiscard]] std::optional<ReplanReport> replan_report(std::uint64_t) const override { return replanned; }

  std::vector<std::string> replans;
  std::optional<ReplanReport> replanned;
  ContainerStatus status;
  std::vector<UnitStatus> units;
  std::vector<LogLine> lines;
  std::vector<Call> calls;
  std::string refuse_with;
};

}  // namespace slipway::control
