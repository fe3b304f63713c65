#include "engine/dependencies.hpp"

namespace slipway::engine {
namespace {

bool condition_holds(config::Condition condition, const DependencyFacts& facts) {
  switch (condition) {
    case config::Condition::kStarted:
      return facts.started;
    case config::Condition::kHealthy:
      return facts.healthy;
    case config::Condition::kCompleted:
      return facts.completed;
  }
  return false;
}

}  // namespace

EdgeState edge_state(const UnitDependency& edge, const DependencyFacts& facts) {
  if (condition_holds(edge.condition, facts)) return EdgeState::kHolds;
  if (!facts.final) return EdgeState::kPending;
  if (!edge.required) return EdgeState::kHolds;
  return facts.held ? EdgeState::kPending : EdgeState::kNever;
}

Dependencies::Dependencies(const Plan& plan)
    : first_edge_(plan.units.size() + 1, 0), counts_(plan.units.size()), facts_(plan.units.size()) {
  for (const UnitSpec& unit : plan.units) {
    for (const UnitDependency& edge : unit.dependencies) ++first_edge_[index(edge.unit) + 1];
  }
  for (std::size_t i = 1; i < first_edge_.size(); ++i) first_edge_[i] += first_edge_[i - 1];
  edges_.resize(first_edge_.back());
  std::vector<std::size_t> next(first_edge_.begin(), first_edge_.end() - 1);
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    for (const UnitDependency& edge : plan.units[i].dependencies) {
      edges_[next[index(edge.unit)]++] = {static_cast<UnitId>(i), edge.condition, edge.required};
      ++counts_[i].unmet;
    }
  }
}

bool Dependencies::update(UnitId unit, const DependencyFacts& facts) {
  DependencyFacts& current = facts_[index(unit)];
  if (current == facts) return false;
  for (const Dependent& dependent : dependents(unit)) {
    const UnitDependency edge{unit, dependent.condition, dependent.required};
    const EdgeState before = edge_state(edge, current);
    const EdgeState now = edge_state(edge, facts);
    Counts& counts = counts_[index(dependent.unit)];
    if (before == EdgeState::kHolds && now != EdgeState::kHolds) ++counts.unmet;
    if (before != EdgeState::kHolds && now == EdgeState::kHolds) --counts.unmet;
    if (before == EdgeState::kNever) --counts.never;
    if (now == EdgeState::kNever) ++counts.never;
  }
  current = facts;
  return true;
}

std::span<const Dependencies::Dependent> Dependencies::dependents(UnitId unit) const {
  const std::size_t first = first_edge_[index(unit)];
  return std::span(edges_).subspan(first, first_edge_[index(unit) + 1] - first);
}

}  // namespace slipway::engine
