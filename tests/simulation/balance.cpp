// After every step: nothing forgotten, nothing overdue, nothing that should not be.
#include <algorithm>

#include "oracle.hpp"

namespace slipway::simulation {

using config::Condition;
using engine::ExitStatus;
using engine::Marker;
using engine::UnitKind;
using engine::UnitSpec;

bool Oracle::holds(const engine::UnitDependency& edge) const {
  const std::size_t on = engine::index(edge.unit);
  const Unit& unit = units_[on];
  const bool lives = unit.alive && !unit.asked && !unit.written_off;
  const bool oneshot = plan_.units[on].kind == UnitKind::kOneshot;
  const bool succeeded = unit.rest == Rest::kSucceeded;
  bool good = succeeded;
  if (edge.condition == Condition::kStarted) good = lives || (oneshot && succeeded);
  if (edge.condition == Condition::kHealthy) good = up(on);
  return good || (!edge.required && final(on));
}

bool Oracle::may_start(std::size_t index) const {
  const auto& edges = plan_.units[index].dependencies;
  return std::all_of(edges.begin(), edges.end(), [this](const auto& edge) { return holds(edge); });
}

bool Oracle::up(std::size_t index) const {
  const Unit& unit = units_[index];
  if (plan_.units[index].kind == UnitKind::kOneshot) return unit.rest == Rest::kSucceeded;
  return unit.alive && !unit.asked && !unit.written_off && unit.gate_passed && !unit.unhealthy;
}

bool Oracle::at_rest(std::size_t index) const {
  const Unit& unit = units_[index];
  return !unit.pending && !unit.hook && !unit.prepared && (unit.written_off || (!unit.alive && !unit.group));
}

/// What a reload changes or takes away may come back in another form.
bool Oracle::final(std::size_t index) const { return units_[index].rest != Rest::kNone && !units_[index].leaving; }

bool Oracle::dependents_at_rest(std::size_t index) const {
  const auto& all = dependents_[index];
  return std::all_of(all.begin(), all.end(), [this](std::size_t dependent) { return at_rest(dependent); });
}

bool Oracle::success(const UnitSpec& spec, const ExitStatus& status) const {
  if (status.kind == ExitStatus::Kind::kNotStarted) return false;
  const int code = status.value + (status.kind == ExitStatus::Kind::kSignaled ? 128 : 0);
  for (const unsigned good : spec.success_exit_status) {
    if (static_cast<int>(good) == code) return true;
  }
  return false;
}

int Oracle::code_of(std::size_t index) const {
  const Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  const bool own = unit.natural && !unit.written_off && unit.last;
  const bool exit = own && unit.last->kind == ExitStatus::Kind::kExited;
  if (spec.failure == engine::FailureCode::kDocumented) {
    return exit && is_documented(unit.last->value) ? unit.last->value : static_cast<int>(spec.failure_code);
  }
  if (own && unit.last->kind == ExitStatus::Kind::kSignaled) return 128 + unit.last->value;
  return exit && unit.last->value != 0 ? unit.last->value : 80;
}

std::optional<ExitStatus> Oracle::last_of(std::size_t index) const { return units_[index].last; }

void Oracle::judge_balance() {
  for (std::size_t i = 0; i < units_.size() && !violation_; ++i) {
    judge_unit(i);
    if (stopping_) {
      judge_stop_of(i);
    } else {
      judge_waiting(i);
      if (next_) judge_leaving(i);
    }
  }
  const auto left = [this](std::size_t index) { return units_[index].leaving && !at_rest(index); };
  bool leaves = false;
  for (std::size_t i = 0; i < units_.size(); ++i) leaves = leaves || left(i);
  if (next_ && !leaves) violate(9, "nothing is left of what leaves and the new plan is not in force");
  judge_markers();
  judge_end();
}

void Oracle::judge_hook(std::size_t index) {
  const Unit& unit = units_[index];
  const std::string& name = plan_.units[index].name;
  if (unit.prepared) violate(1, name + " is not started though its pre_start succeeded");
  if (unit.hook_left && !unit.pending && !unit.alive && !unit.group) violate(4, name + "'s hook is not written off");
  if (!unit.hook) return;
  const bool tick = std::holds_alternative<engine::event::Tick>(*event_);
  if (now_ >= unit.hook_due + (tick ? config::Duration(0) : lateness_))
    violate(4, name + "'s hook is not ended in time");
  const bool unwanted = unit.wish != Wish::kNone || stopping_ || (unit.leaving && its_turn_to_leave(index));
  if (unit.hook == engine::HookKind::kPreStart && unwanted && unit.hook_stage == 0) {
    violate(4, name + "'s pre_start goes on though the unit shall stop");
  }
}

void Oracle::judge_unit(std::size_t index) {
  const Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (unit.written_off) return;
  judge_hook(index);
  const bool lives = unit.alive || unit.group;
  // A Tick makes everything happen that is due; steps without a wait follow each other at once.
  const bool tick = std::holds_alternative<engine::event::Tick>(*event_);
  const auto allowed = tick ? config::Duration(0) : lateness_;
  const bool halted = unit.next_due <= now_ && unit.last_step == now_;
  if (unit.asked && lives && !unit.hook && (halted || now_ >= unit.next_due + allowed)) {
    return violate(4, spec.name + " is not ended in the time of its stop sequence");
  }
  if (unit.alive && unit.wish != Wish::kNone && !unit.asked) violate(4, spec.name + " is not told to stop");
  if (!unit.alive && unit.group && !unit.asked) violate(4, "nobody ends the group of " + spec.name);
  const bool process = spec.kill_mode == config::KillMode::kProcess;
  if (process && !unit.alive && unit.group && !unit.killed && !unit.hook)
    violate(4, "nobody kills the group of " + spec.name);
  if (!unit.alive || unit.asked || stopping_) return;
  const bool unfinished = spec.kind == UnitKind::kOneshot || !unit.gate_passed;
  auto limit = spec.start_timeout;
  if (spec.kind == UnitKind::kService && !spec.ready && spec.healthcheck) {
    limit = std::max(limit, spec.healthcheck->start_period);
  }
  if (unfinished && spec.start_timeout.count() > 0 &&
      now_ >= std::max(unit.spawned + unit.paused + limit, unit.extended) + allowed) {
    return violate(4, spec.name + " may start for longer than start_timeout");
  }
  if (unit.triggered || (unit.watchdog_due && now_ >= *unit.watchdog_due + allowed)) {
    return violate(4, spec.name + " gives no sign of life and nothing happens");
  }
  const bool sick = unit.unhealthy && spec.healthcheck->on_failure == config::HealthAction::kRestart;
  if (sick) violate(4, spec.name + " is unhealthy and nothing happens");
}

void Oracle::judge_stop_of(std::size_t index) {
  const Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (at_rest(index)) {
    if (unit.rest == Rest::kNone) violate(4, spec.name + " is not final although nothing of it lives");
    return;
  }
  if (unit.alive && !unit.asked && dependents_at_rest(index)) {
    return violate(4, spec.name + " is not told to stop although it is its turn");
  }
  const auto limit = plan_.shutdown_timeout;
  const bool tick = std::holds_alternative<engine::event::Tick>(*event_);
  const bool late = limit.count() > 0 && now_ >= stopped_at_ + limit + (tick ? config::Duration(0) : lateness_);
  const bool lives = unit.alive || unit.group;
  if (late && unit.hook && unit.hook_stage < 2) violate(4, spec.name + "'s hook outlives the shutdown timeout");
  if (late && lives && !unit.killed) violate(4, spec.name + " outlives the shutdown timeout");
}

void Oracle::judge_waiting(std::size_t index) {
  const Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (!at_rest(index) || unit.written_off || unit.rest != Rest::kNone) return;
  const bool tick = std::holds_alternative<engine::event::Tick>(*event_);
  if (unit.delayed && (tick ? now_ < unit.latest : now_ <= unit.latest + lateness_)) return;
  if (may_start(index)) return violate(unit.delayed ? 6 : 1, spec.name + " is not started though it may");
  for (const engine::UnitDependency& edge : spec.dependencies) {
    const std::size_t on = engine::index(edge.unit);
    const bool never = !holds(edge) && edge.required && final(on) && !units_[on].held;
    if (never) return violate(1, spec.name + " waits for what can never hold");
  }
}

void Oracle::judge_markers() {
  bool migrated = false;
  bool all_up = true;
  bool critical_up = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const UnitSpec& spec = plan_.units[i];
    for (const Marker marker : spec.markers_on_success) {
      migrated = migrated || (marker == Marker::kMigrateDone && units_[i].rest == Rest::kSucceeded);
    }
    if (!spec.enabled || up(i)) continue;
    all_up = false;
    if (spec.critical) critical_up = false;
  }
  if (marked_[static_cast<int>(Marker::kMigrateDone)] != migrated) {
    violate(3, migrated ? "migrate.done is missing" : "migrate.done exists without a successful migration");
  }
  const bool ready = marked_[static_cast<int>(Marker::kReady)];
  if (ready && (stopping_ || !critical_up)) violate(3, "`ready` exists although the container is not");
  if (!ready && !stopping_ && all_up) violate(3, "`ready` is missing although everything is up");
}

void Oracle::judge_end() {
  bool rest = true;
  bool none_left = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    rest = rest && at_rest(i);
    none_left = none_left && final(i) && !units_[i].held;
  }
  if (stopping_ && rest) violate(7, "nothing lives and PID 1 does not leave");
  if (!stopping_ && none_left) violate(7, "nothing is left to run and the container goes on");
  if (!stopping_ && culprit_) violate(7, plan_.units[*culprit_].name + " failed and the container goes on");
  if (!stopping_ && requested_) violate(7, "the container was asked to stop and goes on");
}

}  // namespace slipway::simulation
