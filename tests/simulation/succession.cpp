// Another plan: who has to leave, in which order, and what the new one must look like.
#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "oracle.hpp"

namespace slipway::simulation {

using engine::Plan;
using engine::UnitSpec;
namespace event = engine::event;
namespace command = engine::command;

namespace {

std::set<std::tuple<std::string, config::Condition, bool>> needs(const Plan& plan, const UnitSpec& unit) {
  std::set<std::tuple<std::string, config::Condition, bool>> all;
  for (const auto& edge : unit.dependencies) {
    all.emplace(plan.units[engine::index(edge.unit)].worker, edge.condition, edge.required);
  }
  return all;
}

bool same_instance(const UnitSpec& left, const UnitSpec& right) {
  return left.worker == right.worker && left.replica == right.replica;
}

}  // namespace

void Oracle::find_dependents() {
  dependents_.assign(plan_.units.size(), {});
  for (bool found = true; found;) {
    found = false;
    for (std::size_t i = 0; i < plan_.units.size(); ++i) {
      for (const engine::UnitDependency& edge : plan_.units[i].dependencies) {
        std::set<std::size_t> all(dependents_[engine::index(edge.unit)].begin(),
                                  dependents_[engine::index(edge.unit)].end());
        const std::size_t before = all.size();
        all.insert(i);
        all.insert(dependents_[i].begin(), dependents_[i].end());
        found = found || all.size() != before;
        dependents_[engine::index(edge.unit)].assign(all.begin(), all.end());
      }
    }
  }
}

/// Whether nothing but the number of its neighbours tells them apart.
bool Oracle::same(const Plan& left_plan, const UnitSpec& left, const Plan& right_plan, const UnitSpec& right) {
  UnitSpec other = right;
  other.name = left.name;
  other.replicas = left.replicas;
  other.dependencies = left.dependencies;
  const auto count = left.launch.environment.find("REPLICAS");
  if (!left.built_in && count != left.launch.environment.end()) other.launch.environment["REPLICAS"] = count->second;
  return other == left && needs(left_plan, left) == needs(right_plan, right);
}

std::optional<std::size_t> Oracle::successor_of(const UnitSpec& unit) const {
  for (std::size_t i = 0; i < next_->units.size(); ++i) {
    if (same_instance(unit, next_->units[i])) return i;
  }
  return std::nullopt;
}

void Oracle::observe_event(const event::Reload& event) {
  if (refused_) {
    if (!stopping_ && booted_ && !next_) violate(9, "a reload is refused without a reason");
    return;
  }
  if (stopping_ || next_) return violate(9, "a reload is accepted at the wrong time");
  next_ = event.plan;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const UnitSpec& unit = plan_.units[i];
    if (unit.removed) continue;
    const auto successor = successor_of(unit);
    units_[i].leaving = !successor || !same(plan_, unit, *next_, next_->units[*successor]);
  }
}

bool Oracle::its_turn_to_leave(std::size_t index) const {
  const auto& all = dependents_[index];
  return std::all_of(all.begin(), all.end(),
                     [this](std::size_t dependent) { return !units_[dependent].leaving || at_rest(dependent); });
}

void Oracle::judge_leaving(std::size_t index) {
  const Unit& unit = units_[index];
  if (!unit.leaving || at_rest(index) || unit.pending) return;
  if (!unit.asked && unit.alive && its_turn_to_leave(index)) {
    violate(4, plan_.units[index].name + " is not told to leave although it is its turn");
  }
}

void Oracle::judge_command(const command::Replan& replan) {
  if (!next_) return violate(9, "another plan is in force that nobody asked for");
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].leaving && !at_rest(i)) {
      return violate(9, plan_.units[i].name + " still lives when the new plan comes into force");
    }
  }
  judge_succession(replan.plan);
  if (violation_) return;
  const Plan before = std::exchange(plan_, replan.plan);
  units_.resize(plan_.units.size());
  for (std::size_t i = 0; i < units_.size(); ++i) succeed(i, i < before.units.size() && !before.units[i].removed);
  find_dependents();
  reconsider_skipped();
  next_.reset();
}

/// Every unit that was asked for is there once, as it was asked for; what stays is where it was.
void Oracle::judge_succession(const Plan& plan) {
  std::size_t there = 0;
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    const UnitSpec& unit = plan.units[i];
    if (unit.removed) continue;
    ++there;
    const auto asked = successor_of(unit);
    if (!asked || !same(plan, unit, *next_, next_->units[*asked]) || unit.name != next_->units[*asked].name) {
      return violate(9, unit.name + " is not what was asked for");
    }
    const bool stays = i < units_.size() && !plan_.units[i].removed;
    if (stays && !same_instance(plan_.units[i], unit)) return violate(9, unit.name + " took another's place");
  }
  if (there != next_->units.size()) violate(9, "a unit that was asked for is missing");
  for (std::size_t i = 0; i < plan_.units.size(); ++i) {
    const bool stays = !plan_.units[i].removed && !units_[i].leaving;
    if (stays && plan.units[i].removed) return violate(9, plan_.units[i].name + " stays and has lost its place");
  }
}

/// Everything is forgotten of what changed, but not that an operator stopped it, nor processes that could not be ended.
void Oracle::succeed(std::size_t index, bool existed) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (existed && !unit.leaving) return;
  Unit fresh;
  fresh.alive = unit.alive;
  fresh.group = unit.group;
  fresh.hook_left = unit.hook_left;
  fresh.written_off = unit.alive || unit.group || unit.hook_left;
  if (existed && !spec.removed) {
    fresh.last = unit.last;
    fresh.held = unit.held;
  }
  if (fresh.held || spec.removed || !spec.enabled) fresh.rest = Rest::kStopped;
  unit = std::move(fresh);
}

void Oracle::reconsider_skipped() {
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (units_[i].rest != Rest::kSkipped) continue;
      const auto& edges = plan_.units[i].dependencies;
      const bool never = std::any_of(edges.begin(), edges.end(), [&](const engine::UnitDependency& edge) {
        const std::size_t on = engine::index(edge.unit);
        return !holds(edge) && edge.required && (final(on) || units_[on].written_off) && !units_[on].held;
      });
      if (never) continue;
      units_[i].rest = Rest::kNone;
      changed = true;
    }
  }
}

}  // namespace slipway::simulation
