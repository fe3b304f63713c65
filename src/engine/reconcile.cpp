#include "engine/reconcile.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace slipway::engine {
namespace {

using Instance = std::pair<std::string, unsigned>;
using WorkerEdge = std::tuple<std::string, config::Condition, bool>;

Instance instance_of(const UnitSpec& unit) { return {unit.worker, unit.replica}; }

/// All replicas of a worker together are one dependency, so that scaling it changes nobody else.
std::vector<WorkerEdge> worker_edges(const Plan& plan, const UnitSpec& unit) {
  std::vector<WorkerEdge> edges;
  for (const UnitDependency& edge : unit.dependencies) {
    edges.emplace_back(plan.units[index(edge.unit)].worker, edge.condition, edge.required);
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  return edges;
}

/// Without what names the instance and counts its neighbours.
UnitSpec definition_of(UnitSpec unit) {
  unit.name.clear();
  unit.replicas = 1;
  unit.dependencies.clear();
  if (!unit.built_in) unit.launch.environment.erase("REPLICAS");
  return unit;
}

/// Where the new units go: their own slots, then free ones, then new ones at the end.
class Slots {
 public:
  Slots(const Plan& running, const std::vector<bool>& reusable) : used_(running.units.size(), false) {
    for (std::size_t i = 0; i < running.units.size(); ++i) own_.emplace(instance_of(running.units[i]), i);
    for (std::size_t i = running.units.size(); i-- > 0;) {
      if (running.units[i].removed && reusable[i]) free_.push_back(i);
    }
  }

  void take_own(const Plan& next) {
    for (const UnitSpec& unit : next.units) {
      const auto found = own_.find(instance_of(unit));
      slots_.push_back(found == own_.end() ? kNone : found->second);
      if (found != own_.end()) used_[found->second] = true;
    }
  }

  void take_others() {
    for (std::size_t& slot : slots_) {
      if (slot == kNone) slot = any();
    }
  }

  [[nodiscard]] const std::vector<std::size_t>& slots() const { return slots_; }
  [[nodiscard]] std::size_t count() const { return used_.size(); }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::size_t any() {
    while (!free_.empty()) {
      const std::size_t slot = free_.back();
      free_.pop_back();
      if (used_[slot]) continue;
      used_[slot] = true;
      return slot;
    }
    used_.push_back(true);
    return used_.size() - 1;
  }

  std::map<Instance, std::size_t> own_;
  std::vector<std::size_t> free_;  ///< the lowest last
  std::vector<bool> used_;
  std::vector<std::size_t> slots_;  ///< by unit of the new plan
};

/// What is left of a unit that is not in the plan any more: its name, so that its log lines keep theirs.
UnitSpec free_slot(const UnitSpec& unit) {
  UnitSpec left;
  left.name = unit.name;
  left.worker = unit.worker;
  left.replica = unit.replica;
  left.kind = unit.kind;
  left.enabled = false;
  left.critical = false;
  left.removed = true;
  return left;
}

}  // namespace

bool same_definition(const Plan& left_plan, const UnitSpec& left, const Plan& right_plan, const UnitSpec& right) {
  return worker_edges(left_plan, left) == worker_edges(right_plan, right) &&
         definition_of(left) == definition_of(right);
}

Reconciled reconcile(const Plan& running, const Plan& next, const std::vector<bool>& reusable) {
  Slots places(running, reusable);
  places.take_own(next);
  places.take_others();
  const std::vector<std::size_t>& slots = places.slots();
  Reconciled result;
  result.plan.shutdown_timeout = next.shutdown_timeout;
  if (next.exit_code_from) result.plan.exit_code_from = static_cast<UnitId>(slots[index(*next.exit_code_from)]);
  result.plan.units.resize(places.count());
  result.changes.resize(places.count(), Change::kNone);
  std::vector<bool> filled(places.count(), false);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::size_t slot = slots[i];
    UnitSpec unit = next.units[i];
    for (UnitDependency& edge : unit.dependencies) edge.unit = static_cast<UnitId>(slots[index(edge.unit)]);
    const bool added = slot >= running.units.size() || running.units[slot].removed;
    if (added) {
      result.changes[slot] = Change::kAdded;
    } else if (!same_definition(running, running.units[slot], next, next.units[i])) {
      result.changes[slot] = Change::kChanged;
    }
    result.plan.units[slot] = std::move(unit);
    result.order.push_back(static_cast<UnitId>(slot));
    filled[slot] = true;
  }
  for (std::size_t slot = 0; slot < running.units.size(); ++slot) {
    if (filled[slot]) continue;
    if (!running.units[slot].removed) result.changes[slot] = Change::kRemoved;
    result.plan.units[slot] = free_slot(running.units[slot]);
  }
  return result;
}

}  // namespace slipway::engine
