#pragma once
// Units that still name each other, on their way to becoming a plan: replicas are expanded, names become ids, and the
// units are put in an order in which each follows its dependencies.

#include <string>
#include <vector>

#include "config/error.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

struct NamedDependency {
  std::string name;
  config::Condition condition = config::Condition::kStarted;
  bool required = true;
};

/// One worker or built-in unit before its replicas are told apart. `spec.name`, `spec.dependencies` and the replica
/// numbers are filled in by order_units().
struct UnitDraft {
  UnitSpec spec;
  std::vector<NamedDependency> dependencies;
};

/// A dependency on a unit with replicas becomes one on each of them. The order is stable: drafts keep theirs as far as
/// their dependencies permit. Errors (kConfiguration): a name given twice, an unknown dependency, a cycle.
[[nodiscard]] Result<std::vector<UnitSpec>> order_units(const std::vector<UnitDraft>& drafts);

}  // namespace slipway::engine
