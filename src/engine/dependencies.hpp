#pragma once
// Which units may start. Every edge of the plan is in one of three states (holds, may still hold, can never hold);
// each unit counts its edges, so a change of one unit costs its dependents and nothing else, however large the plan.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/engine.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

/// What of a unit matters to those that depend on it.
struct DependencyFacts {
  bool started = false;    ///< its process lives, or it is a oneshot that succeeded
  bool healthy = false;    ///< ready; running, for a service that cannot tell; a oneshot that succeeded
  bool completed = false;  ///< ended successfully
  bool final = false;      ///< nothing runs and nothing is scheduled
  bool held = false;       ///< final because an operator stopped it: it may come back
  bool operator==(const DependencyFacts&) const = default;
};

enum class EdgeState { kHolds, kPending, kNever };

[[nodiscard]] EdgeState edge_state(const UnitDependency& edge, const DependencyFacts& facts);

class Dependencies {
 public:
  explicit Dependencies(const Plan& plan);

  struct Dependent {
    UnitId unit{};
    config::Condition condition{};
    bool required = true;
  };

  /// Records new facts of `unit`; true when they differ from the last ones (its dependents may be affected).
  bool update(UnitId unit, const DependencyFacts& facts);

  [[nodiscard]] bool all_hold(UnitId unit) const { return counts_[index(unit)].unmet == 0; }
  [[nodiscard]] bool never_holds(UnitId unit) const { return counts_[index(unit)].never > 0; }
  [[nodiscard]] const DependencyFacts& facts(UnitId unit) const { return facts_[index(unit)]; }
  [[nodiscard]] std::span<const Dependent> dependents(UnitId unit) const;

 private:
  struct Counts {
    std::uint32_t unmet = 0;
    std::uint32_t never = 0;
  };
  std::vector<Dependent> edges_;         ///< grouped by the unit depended on
  std::vector<std::size_t> first_edge_;  ///< by unit, and one past the end
  std::vector<Counts> counts_;           ///< by dependent unit
  std::vector<DependencyFacts> facts_;
};

}  // namespace slipway::engine
