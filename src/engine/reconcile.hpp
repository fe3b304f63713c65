#pragma once
// What differs between the plan in force and the one that shall be. Pure. An instance is known by its worker's name and
// its number; its definition is everything else of its UnitSpec, so that nothing can be forgotten here.

#include <vector>

#include "engine/plan.hpp"

namespace slipway::engine {

enum class Change { kNone, kChanged, kAdded, kRemoved };

struct Reconciled {
  /// The new units, in the slots of the running ones with the same name; added ones in free slots, then at the end.
  Plan plan;
  std::vector<Change> changes;  ///< by slot; kNone for a slot that was free and stays so
  std::vector<UnitId> order;    ///< the slots of the new units, dependencies first
};

/// `running` may have free slots, `next` has none. `reusable`, by slot of `running`: a free one where nothing lives.
[[nodiscard]] Reconciled reconcile(const Plan& running, const Plan& next, const std::vector<bool>& reusable);

/// The same definition: what it runs, reads, waits for and how it is treated. How many replicas there are beside it is
/// not part of it (a running one keeps the $REPLICAS of its start), nor in what order the plan lists anything.
[[nodiscard]] bool same_definition(const Plan& left_plan, const UnitSpec& left, const Plan& right_plan,
                                   const UnitSpec& right);

}  // namespace slipway::engine
