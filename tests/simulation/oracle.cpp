// What is known of every unit: from the events alone.
#include "oracle.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace slipway::simulation {

using engine::ExitStatus;
using engine::UnitKind;
using engine::UnitSpec;
namespace event = engine::event;
namespace command = engine::command;

Oracle::Oracle(const engine::Plan& plan, config::Duration lateness)
    : plan_(plan), lateness_(lateness + std::chrono::milliseconds(2)), units_(plan.units.size()) {
  find_dependents();
}

const std::optional<Violation>& Oracle::step(const engine::Event& event, const engine::Commands& commands,
                                             Instant now) {
  if (violation_) return violation_;
  now_ = now;
  event_ = &event;
  commands_ = &commands;
  repeated_stop_ = stopping_;
  if (finished_ && !commands.empty()) violate(7, "there are commands after Finish");
  refused_ = std::any_of(commands.begin(), commands.end(),
                         [](const engine::Command& each) { return std::holds_alternative<command::Refuse>(each); });
  observe(event);
  for (const engine::Command& each : commands) judge(each);
  if (booted_ && !finished_) judge_balance();
  return violation_;
}

void Oracle::observe(const engine::Event& event) {
  std::visit(
      [this](const auto& specific) {
        if constexpr (requires { specific.unit; }) {
          if (!boundary(specific.unit)) return;
        }
        observe_event(specific);
      },
      event);
}

void Oracle::observe_event(const event::Boot&) {
  booted_ = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (!plan_.units[i].enabled) units_[i].rest = Rest::kStopped;
  }
}

void Oracle::observe_event(const event::Spawned& event) {
  Unit& unit = units_[engine::index(event.unit)];
  unit.pending = false;
  unit.alive = true;
  unit.ran = true;
  unit.spawned = now_;
  const UnitSpec& spec = plan_.units[engine::index(event.unit)];
  unit.watchdog = spec.watchdog;
  if (spec.kind == UnitKind::kOneshot || (!spec.ready && !spec.healthcheck)) passed_gate(unit);
}

/// From here on it must show signs of life.
void Oracle::passed_gate(Unit& unit) {
  unit.gate_passed = true;
  unit.watchdog_due.reset();
  if (unit.watchdog.count() > 0 && !stopping_) unit.watchdog_due = now_ + unit.watchdog;
}

void Oracle::observe_event(const event::SpawnFailed& event) {
  Unit& unit = units_[engine::index(event.unit)];
  unit.pending = false;
  unit.last = ExitStatus{ExitStatus::Kind::kNotStarted, 0, event.reason};
  unit.natural = unit.wish == Wish::kNone;
  unit.spawn_failed = true;
  unit.not_startable = unit.wish == Wish::kNone && !stopping_ && !unit.leaving && !event.retryable;
  gone(engine::index(event.unit));
}

void Oracle::observe_event(const event::HookFinished& event) {
  Unit& unit = units_[engine::index(event.unit)];
  if (std::exchange(unit.hook_left, false) || !unit.hook) return;
  const bool good = unit.hook_stage == 0 && event.status == ExitStatus{};
  hook_over(engine::index(event.unit), *std::exchange(unit.hook, std::nullopt), good);
}

/// Time to write off a hook that KILL did not end.
void Oracle::observe_event(const event::Tick&) {
  for (Unit& unit : units_) {
    if (!unit.hook || unit.hook_stage < 2 || now_ < unit.hook_due) continue;
    unit.hook.reset();
    unit.hook_left = true;
    if (!unit.killed) unit.next_due = now_;
  }
}

void Oracle::hook_over(std::size_t index, engine::HookKind kind, bool good) {
  Unit& unit = units_[index];
  if (kind == engine::HookKind::kPostStop) return ended(index);
  if (kind == engine::HookKind::kStopCommand) {
    if (!unit.killed) unit.next_due = now_;
    if (!unit.alive && !unit.group) gone(index);
    return;
  }
  if (unit.wish == Wish::kNone && !stopping_ && !unit.leaving && good) {
    unit.prepared = may_start(index);
    if (!unit.prepared && !unit.starts.empty()) unit.starts.pop_back();
    return;
  }
  unit.unprepared = unit.wish == Wish::kNone && !stopping_ && !unit.leaving;
  gone(index);
}

void Oracle::observe_event(const event::Exited& event) {
  Unit& unit = units_[engine::index(event.unit)];
  unit.alive = false;
  unit.group = event.group_alive;
  unit.last = event.status;
  unit.probe.reset();
  if (unit.written_off) return;
  unit.natural = (!unit.asked || unit.quits) && unit.wish == Wish::kNone;
  if (!unit.group) gone(engine::index(event.unit));
}

void Oracle::observe_event(const event::GroupGone& event) {
  Unit& unit = units_[engine::index(event.unit)];
  unit.group = false;
  if (!unit.written_off) gone(engine::index(event.unit));
}

void Oracle::forget_limits(Unit& unit) {
  unit.starts.clear();
  unit.attempts = 0;
  unit.delayed = false;
}

bool Oracle::runs(std::size_t index, engine::HookKind kind) const {
  return std::any_of(commands_->begin(), commands_->end(), [&](const engine::Command& each) {
    const auto* run = std::get_if<command::RunHook>(&each);
    return run != nullptr && engine::index(run->unit) == index && run->kind == kind;
  });
}

/// Nothing of it lives but, maybe, its stop_command. Then it is post_stop's turn.
void Oracle::gone(std::size_t index) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (unit.hook || unit.hook_left) return;
  unit.ended = now_;
  const bool due = spec.post_stop && (unit.ran || spec.pre_start) && !overdue();
  const bool run = runs(index, engine::HookKind::kPostStop);
  if (due && !run) violate(4, spec.name + " ends without its post_stop");
  if (!run) ended(index);
}

void Oracle::start_was_not_to_be(std::size_t index) {
  Unit& unit = units_[index];
  if (unit.wish == Wish::kRestart) forget_limits(unit);
  if (unit.wish != Wish::kNone || stopping_ || unit.leaving || unit.not_startable) return;
  if (!unit.starts.empty()) unit.starts.pop_back();
  expect_restart(index, false);
}

/// Everything of it is over: what must follow?
void Oracle::ended(std::size_t index) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (unit.leaving) return;
  if (unit.spawn_failed) return start_was_not_to_be(index);
  if (unit.wish == Wish::kRestart && !stopping_) {
    forget_limits(unit);
    return;
  }
  const bool good = unit.natural && success(spec, *unit.last);
  const bool again = spec.kind == UnitKind::kService && (spec.restart.when == config::Restart::kAlways ||
                                                         spec.restart.when == config::Restart::kUnlessStopped);
  unit.marker = good;
  if (good && (!again || spec.ends_container || stopping_)) {
    unit.rest = Rest::kSucceeded;
    return;
  }
  const bool ends_all = spec.ends_container && unit.natural;
  if (!stopping_ && unit.wish == Wish::kNone && !ends_all) expect_restart(index, unit.ran);
}

/// The window in which its next start must fall, should it be started again.
void Oracle::expect_restart(std::size_t index, bool counts_run) {
  Unit& unit = units_[index];
  const engine::RestartPolicy& policy = plan_.units[index].restart;
  const auto proof = policy.start_limit_interval.count() > 0 ? policy.start_limit_interval : policy.max_delay;
  if (counts_run && unit.ended - unit.spawned >= proof) unit.attempts = 0;
  double delay = static_cast<double>(policy.delay.count());
  for (unsigned i = 0; i < unit.attempts && delay < 1e12; ++i) delay *= policy.backoff;
  delay = std::min(delay, static_cast<double>(policy.max_delay.count()));
  ++unit.attempts;
  unit.delayed = true;
  unit.earliest = now_ + config::Duration(static_cast<long>(std::floor(delay * (1 - policy.jitter))));
  unit.latest = now_ + config::Duration(static_cast<long>(std::ceil(delay * (1 + policy.jitter))));
}

void Oracle::observe_event(const event::Notified& event) {
  Unit& unit = units_[engine::index(event.unit)];
  const auto& ready = plan_.units[engine::index(event.unit)].ready;
  const bool listens = ready && (ready->notify_fd || ready->sd_notify || !ready->log_line.empty());
  const bool waits = unit.alive && !unit.asked && unit.wish == Wish::kNone && listens && !unit.gate_passed;
  if (waits && plan_.units[engine::index(event.unit)].kind == UnitKind::kService) passed_gate(unit);
}

void Oracle::observe_event(const event::Notice& event) {
  Unit& unit = units_[engine::index(event.unit)];
  const UnitSpec& spec = plan_.units[engine::index(event.unit)];
  if (!unit.alive || unit.written_off) return;
  switch (event.kind) {
    case engine::NoticeKind::kReady:
      if (spec.ready && spec.ready->sd_notify) observe_event(event::Notified{event.unit});
      return;
    case engine::NoticeKind::kWatchdogInterval:
      unit.watchdog = event.duration;
      [[fallthrough]];
    case engine::NoticeKind::kAlive:
      if (unit.gate_passed) passed_gate(unit);
      return;
    case engine::NoticeKind::kTrigger:
      unit.triggered = !unit.asked && !stopping_;
      return;
    case engine::NoticeKind::kStopping:
      return observe_stopping(unit, spec);
    case engine::NoticeKind::kExtendTimeout:
      return observe_extension(unit, event.duration);
    case engine::NoticeKind::kStatus:
    case engine::NoticeKind::kReloading:
      return;
  }
}

void Oracle::observe_event(const event::Paused& event) {
  for (Unit& unit : units_) {
    if (!unit.alive || unit.asked) continue;
    unit.paused += event.span;
    if (unit.extended != Instant{}) unit.extended += event.span;
    if (unit.watchdog_due) unit.watchdog_due = std::max(*unit.watchdog_due + event.span, now_ + unit.watchdog);
  }
}

void Oracle::observe_stopping(Unit& unit, const UnitSpec& spec) {
  if (unit.asked || !unit.gate_passed) return;
  unit.asked = unit.quits = unit.may_ask = true;
  unit.next_step = spec.stop_sequence.empty() ? 0 : 1;
  unit.next_due = spec.stop_sequence.empty() ? now_ : now_ + spec.stop_sequence.front().wait;
  unit.last_step = now_;
}

/// Never beyond what was asked, and never after KILL.
void Oracle::observe_extension(Unit& unit, config::Duration by) {
  if (!unit.asked) unit.extended = std::max(unit.extended, now_ + by);
  if (unit.asked && !unit.killed) unit.next_due = std::max(unit.next_due, now_ + by);
  if (unit.watchdog_due) unit.watchdog_due = std::max(*unit.watchdog_due, now_ + by);
}

void Oracle::observe_event(const event::ProbeFinished& event) {
  Unit& unit = units_[engine::index(event.unit)];
  if (unit.probe != event.kind) return;
  probe_answered(unit, plan_.units[engine::index(event.unit)], event.ok);
}

void Oracle::probe_answered(Unit& unit, const UnitSpec& spec, bool ok) {
  const engine::ProbeKind kind = *unit.probe;
  unit.probe.reset();
  if (!unit.gate_passed) {
    if (ok) passed_gate(unit);
    unit.period_over = ok && kind == engine::ProbeKind::kHealth;
    return;
  }
  if (ok) {
    unit.period_over = true;
    unit.unhealthy = false;
    unit.failures = 0;
  } else if (unit.period_over || now_ >= unit.spawned + spec.healthcheck->start_period) {
    if (++unit.failures >= std::max(1U, spec.healthcheck->retries)) unit.unhealthy = true;
  }
}

void Oracle::observe_event(const event::StopRequested& event) {
  if (stopping_) return;
  requested_ = true;
  stop_signal_ = event.signal;
}

void Oracle::observe_event(const event::StartUnit& event) {
  Unit& unit = units_[engine::index(event.unit)];
  if (refused_) return;
  if (unit.leaving) return violate(9, "a unit that leaves is started");
  if (unit.pending) {
    unit.wish = Wish::kNone;
  } else if (unit.alive || unit.hook || (unit.group && !unit.written_off)) {
    unit.wish = Wish::kRestart;
    unit.natural = false;
  } else {
    forget_limits(unit);
    unit.rest = Rest::kNone;
    unit.held = false;
  }
}

void Oracle::observe_event(const event::StopUnit& event) {
  Unit& unit = units_[engine::index(event.unit)];
  if (refused_) return;
  if (unit.leaving) return violate(9, "a unit that leaves is stopped by an operator");
  forget_limits(unit);
  unit.natural = false;
  const bool runs = unit.pending || unit.alive || unit.group || unit.hook;
  if (runs) unit.wish = Wish::kStop;
}

void Oracle::observe_event(const event::RestartUnit& event) {
  Unit& unit = units_[engine::index(event.unit)];
  if (refused_) return;
  if (unit.leaving) return violate(9, "a unit that leaves is restarted");
  if (unit.pending || unit.alive || unit.hook || (unit.group && !unit.written_off)) {
    unit.wish = Wish::kRestart;
    unit.natural = false;
  } else {
    forget_limits(unit);
    unit.rest = Rest::kNone;
    unit.held = false;
  }
}

}  // namespace slipway::simulation
