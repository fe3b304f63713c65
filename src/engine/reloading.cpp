// Another plan: what leaves ends first, then the new plan comes into force in one instant.
#include <algorithm>
#include <utility>

#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

bool leaves(Change change) { return change == Change::kChanged || change == Change::kRemoved; }

std::string counted(const std::vector<Change>& changes, Change which, const char* word) {
  const auto count = std::count(changes.begin(), changes.end(), which);
  return count == 0 ? std::string() : ", " + std::to_string(count) + " " + word;
}

std::string summary(const std::vector<Change>& changes) {
  const std::string text = counted(changes, Change::kChanged, "changed") + counted(changes, Change::kAdded, "added") +
                           counted(changes, Change::kRemoved, "removed");
  return text.empty() ? "no unit changed" : "units: " + text.substr(2);
}

}  // namespace

void Machine::on(const event::Reload& event) {
  if (stopping_) return refuse(std::nullopt, "the container stops");
  if (!booted_) return refuse(std::nullopt, "the boot has not begun");
  if (reload_) return refuse(std::nullopt, "a reload is under way");
  std::vector<bool> reusable;
  for (const UnitRecord& record : units_) reusable.push_back(!lives(record));
  reload_ = reconcile(plan_, event.plan, reusable);
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (leaves(reload_->changes[i])) begin_leaving(static_cast<UnitId>(i));
  }
}

/// Those that are up are told to stop when it is their turn.
void Machine::begin_leaving(UnitId unit) {
  UnitRecord& record = this->record(unit);
  record.leaving = true;
  record.restarting = false;
  if (is_scheduled(unit)) refresh_schedule(unit);
  if (record.state == UnitState::kScheduled || record.state == UnitState::kWaiting ||
      record.state == UnitState::kBackoff) {
    become_inactive(unit, false, "ended for a reload");
  } else if (record.state == UnitState::kStopping && record.outcome != Outcome::kNatural) {
    record.outcome = Outcome::kReload;
  } else {
    refresh_facts(unit);
  }
}

void Machine::advance_reload() {
  if (!reload_ || !stop_what_leaves()) return;
  switch_plans();
  drain();
}

/// True when nothing that leaves is left. Otherwise those are told to stop on which nothing depends, directly or
/// through units that stay, that leaves and has not ended yet.
bool Machine::stop_what_leaves() {
  bool all_ended = true;
  std::vector<bool> needed(units_.size(), false);
  for (std::size_t i = order_.size(); i-- > 0;) {
    const UnitId unit = order_[i];
    const UnitRecord& record = this->record(unit);
    const bool needs = needed[index(unit)] || (record.leaving && !is_final(record.state));
    if (record.leaving && !is_final(record.state)) {
      all_ended = false;
      if (!needed[index(unit)] && is_up(record.state) && record.outcome == Outcome::kNatural) {
        stop_unit(unit, Outcome::kReload, "a reload changes it or takes it away");
      }
    }
    if (!needs) continue;
    for (const UnitDependency& edge : spec(unit).dependencies) needed[index(edge.unit)] = true;
  }
  return all_ended;
}

void Machine::switch_plans() {
  const Reconciled next = *std::exchange(reload_, std::nullopt);
  const Plan before = std::exchange(plan_, next.plan);
  order_ = next.order;
  units_.resize(plan_.units.size());
  timers_.grow(timer_slots(units_.size()));
  queue_.reserve(units_.size());
  dependencies_ = Dependencies(plan_);
  out_.emplace_back(command::Replan{plan_});
  report(EventName::kConfigReloaded, std::nullopt, "reloaded: " + summary(next.changes));
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (next.changes[i] == Change::kNone) continue;
    if (leaves(next.changes[i])) {
      for (const Marker marker : before.units[i].markers_on_success) out_.emplace_back(command::RemoveMarker{marker});
    }
    renew(static_cast<UnitId>(i), next.changes[i]);
  }
  link_instances();
  count_again();
  for (const UnitId unit : order_) start_anew(unit, next.changes[index(unit)]);
  // Last, because a critical one stops the container.
  for (const UnitId unit : order_) {
    const bool stuck = lives(record(unit));
    if (stuck && starts_anew(unit, next.changes[index(unit)])) {
      give_up(unit, "processes of its last run still live", nullptr);
    }
  }
}

bool Machine::starts_anew(UnitId unit, Change change) const {
  const bool renewed = change == Change::kChanged || change == Change::kAdded;
  return renewed && spec(unit).enabled && !record(unit).held;
}

/// A record as at a boot; what KILL could not end is still known.
void Machine::renew(UnitId unit, Change change) {
  UnitRecord& old = record(unit);
  UnitRecord fresh;
  fresh.since = now_;
  fresh.pid = old.pid;
  fresh.main_alive = old.main_alive;
  fresh.group_alive = old.group_alive;
  fresh.hook_left = old.hook_left;
  fresh.queued = old.queued;
  if (change == Change::kChanged) {
    fresh.last_exit = old.last_exit;
    fresh.held = old.held;
  }
  if (fresh.held) {
    fresh.reason = old.reason;
  } else if (change == Change::kRemoved) {
    fresh.reason = "removed";
  } else if (!spec(unit).enabled) {
    fresh.reason = "disabled";
  }
  timers_.disarm(life_slot(unit));
  timers_.disarm(probe_slot(unit));
  timers_.disarm(watchdog_slot(unit));
  timers_.disarm(hook_slot(unit));
  timers_.disarm(schedule_slot(unit));
  old = std::move(fresh);
}

/// What is counted as it changes, from the beginning.
void Machine::count_again() {
  active_ = 0;
  held_ = 0;
  not_ready_ = 0;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (!is_final(units_[i].state)) ++active_;
    if (units_[i].held) ++held_;
    units_[i].holds_readiness_back = false;
    refresh_facts(unit);
    refresh_readiness(unit);
  }
}

void Machine::start_anew(UnitId unit, Change change) {
  const UnitRecord& record = this->record(unit);
  const bool stuck = lives(record);
  const bool again = record.state == UnitState::kSkipped && !dependencies_.never_holds(unit);
  if (!again && (stuck || !starts_anew(unit, change))) return;
  if (is_scheduled(unit)) return begin_schedule(unit);
  set_state(unit, UnitState::kWaiting);
}

/// What has ended for it stays as it is: the container stops anyway.
void Machine::abandon_reload() {
  reload_.reset();
  report(EventName::kConfigReloadAbandoned, std::nullopt, "the reload is abandoned: the container stops");
  for (std::size_t i = 0; i < units_.size(); ++i) {
    UnitRecord& record = units_[i];
    if (!std::exchange(record.leaving, false)) continue;
    // Its process is just being made: it stops in its turn, like everybody else.
    if (record.spawn_pending && record.outcome == Outcome::kReload) record.outcome = Outcome::kNatural;
    refresh_facts(static_cast<UnitId>(i));
  }
}

}  // namespace slipway::engine
