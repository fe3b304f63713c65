// One unit from its start to its end, and what follows.
#include <utility>

#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {

void Machine::start_if_possible(UnitId unit) {
  if (record(unit).state != UnitState::kWaiting) return;
  if (dependencies_.never_holds(unit)) return is_scheduled(unit) ? skip_waiting_run(unit) : skip(unit);
  if (dependencies_.all_hold(unit)) begin_start(unit);
}

void Machine::begin_start(UnitId unit) {
  UnitRecord& record = this->record(unit);
  record.outcome = Outcome::kNatural;
  record.reason.clear();
  record.status.clear();
  record.killed = false;
  record.ran = false;
  record.run_again = false;
  record.last_run = now_;
  record.history.record(spec(unit).restart, now_);
  // A oneshot that runs again has not succeeded yet: its marker says so before its process exists.
  if (record.last_exit) {
    for (const Marker marker : spec(unit).markers_on_success) out_.emplace_back(command::RemoveMarker{marker});
  }
  set_state(unit, UnitState::kStarting);
  report(EventName::kUnitStarting, unit, "starting");
  if (!run_hook(unit, HookKind::kPreStart)) return spawn(unit);
  record.reason = "pre_start runs";
}

void Machine::spawn(UnitId unit) {
  UnitRecord& record = this->record(unit);
  record.spawn_pending = true;
  if (std::exchange(record.restarting, false)) ++record.restarts;
  out_.emplace_back(command::Spawn{unit});
}

/// Which dependency can never hold.
std::string Machine::never_starts(UnitId unit) const {
  std::string reason = waits_for(unit);
  for (const UnitDependency& edge : spec(unit).dependencies) {
    if (edge_state(edge, dependencies_.facts(edge.unit)) != EdgeState::kNever) continue;
    reason = "requires " + spec(edge.unit).name + " to be " + describe(edge.condition) + ", which is " +
             to_string(record(edge.unit).state);
    break;
  }
  return reason;
}

/// The unit can never start. A critical one that never runs is a failure of the container, not a detail.
void Machine::skip(UnitId unit) {
  const std::string reason = never_starts(unit);
  record(unit).reason = reason;
  set_state(unit, UnitState::kSkipped);
  report(EventName::kUnitSkipped, unit, "skipped: " + reason);
  if (spec(unit).critical) fail_container(unit, "skipped: " + reason, failure_code(spec(unit), nullptr));
}

void Machine::unit_event(const event::Spawned& event) {
  UnitRecord& record = this->record(event.unit);
  if (!std::exchange(record.spawn_pending, false)) return;
  record.main_alive = true;
  record.ran = true;
  record.pid = event.pid;
  record.started = now_;
  record.watchdog = spec(event.unit).watchdog;
  report(EventName::kUnitStarted, event.unit, "started");
  std::get<command::Report>(out_.back()).pid = event.pid;
  if (spec(event.unit).kind != UnitKind::kService) {
    set_state(event.unit, UnitState::kRunning);
  } else {
    begin_readiness(event.unit);
  }
  // It was asked to stop while its process was being made.
  if (record.outcome != Outcome::kNatural) return begin_stop_sequence(event.unit);
  if (stopping_) return end_probes(event.unit);
  const Duration limit = spec(event.unit).start_timeout;
  const bool limited = spec(event.unit).kind != UnitKind::kService && limit > Duration::zero();
  if (limited) timers_.arm(life_slot(event.unit), after(now_, limit));
}

/// No process exists. A shortage (EAGAIN, memory) passes: it is tried again after the backoff, whatever the restart
/// policy, and does not count towards the start limit, because it says nothing about the unit. Anything else is final.
void Machine::unit_event(const event::SpawnFailed& event) {
  UnitRecord& record = this->record(event.unit);
  if (!std::exchange(record.spawn_pending, false)) return;
  record.last_exit = ExitStatus{ExitStatus::Kind::kNotStarted, 0, event.reason};
  if (record.outcome == Outcome::kNatural && !stopping_ && !record.leaving) {
    record.outcome = event.retryable ? Outcome::kShortage : Outcome::kNotStartable;
    record.reason = describe(*record.last_exit);
  }
  processes_gone(event.unit);
}

void Machine::unit_event(const event::Exited& event) {
  UnitRecord& record = this->record(event.unit);
  if (!std::exchange(record.main_alive, false)) return;
  record.pid = 0;
  record.group_alive = event.group_alive;
  record.last_exit = event.status;
  const auto lasted = std::chrono::duration_cast<Duration>(now_ - record.started);
  // The exit code is a field of the report; people read it there too.
  const std::string ended = event.status.kind == ExitStatus::Kind::kExited ? "exited" : describe(event.status);
  report(EventName::kUnitExited, event.unit, ended + " after " + describe(lasted));
  std::get<command::Report>(out_.back()).status = event.status;
  if (is_final(record.state)) return;  // a leftover, long written off
  refresh_facts(event.unit);
  if (!event.group_alive) return processes_gone(event.unit);
  if (record.state != UnitState::kStopping) return begin_stop_sequence(event.unit);
  if (record.hook) return;  // the stop sequence follows when stop_command has ended
  // Without a main process there is nobody left whom kill_mode `process` would ask.
  if (spec(event.unit).kill_mode == config::KillMode::kProcess && !record.killed) kill_unit(event.unit);
}

void Machine::unit_event(const event::GroupGone& event) {
  UnitRecord& record = this->record(event.unit);
  if (!std::exchange(record.group_alive, false)) return;
  if (!is_final(record.state)) processes_gone(event.unit);
}

void Machine::life_timer_due(UnitId unit) {
  const UnitRecord& record = this->record(unit);
  if (record.state == UnitState::kBackoff) return set_state(unit, UnitState::kWaiting);
  if (record.state == UnitState::kStopping) return record.killed ? left_over(unit) : next_stop_step(unit);
  if (!is_up(record.state)) return;
  const bool oneshot = spec(unit).kind != UnitKind::kService;
  const auto limit = std::chrono::duration_cast<Duration>(now_ - record.started);
  stop_unit(unit, Outcome::kTimedOut, (oneshot ? "did not finish within " : "not ready within ") + describe(limit));
}

/// Nothing of the unit lives any more, unless it is its stop_command.
void Machine::processes_gone(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (record.hook) return;
  timers_.disarm(life_slot(unit));
  end_probes(unit);
  if (record.hook_left) return left_over(unit);
  const auto lasted = std::chrono::duration_cast<Duration>(now_ - record.started);
  if (record.ran) record.history.run_ended(spec(unit).restart, lasted);
  const bool began = record.ran || spec(unit).pre_start;
  if (!began || !run_hook(unit, HookKind::kPostStop)) return ended(unit);
  if (record.state != UnitState::kStopping) set_state(unit, UnitState::kStopping);
}

/// Everything is over, post_stop included: act on why it ended.
void Machine::ended(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (record.leaving) return become_inactive(unit, false, "ended for a reload");
  if (record.outcome == Outcome::kNatural) return ended_by_itself(unit);
  if (stopping_) return become_inactive(unit, false, "stopped with the container");
  switch (record.outcome) {
    case Outcome::kOperatorRestart:
      record.history.reset();
      record.restarting = true;
      return set_state(unit, UnitState::kWaiting);
    case Outcome::kReplaced:
      return run_over(unit);
    case Outcome::kTimedOut:
    case Outcome::kWatchdog:
    case Outcome::kUnprepared:
    case Outcome::kUnhealthy:
      return restart_later(unit, record.reason, nullptr);
    case Outcome::kShortage:
      record.history.forget_last();
      return back_off(unit, record.history.next_delay(spec(unit).restart, jitter_), record.reason);
    case Outcome::kNotStartable:
      return give_up(unit, std::string(record.reason), &*record.last_exit);
    default:
      become_inactive(unit, true, "stopped by an operator");
  }
  if (spec(unit).ends_container) {
    const int code = record.last_exit ? own_code(*record.last_exit) : 0;
    stop_container(Cause::kUnit, code, spec(unit).name + " was stopped");
  }
}

void Machine::ended_by_itself(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const ExitStatus status = *record.last_exit;
  const std::string what = describe(status);
  const bool good = is_success(spec(unit), status);
  if (spec(unit).ends_container || stopping_) {
    record.reason = what;
    if (good) return succeeded(unit);
    return give_up(unit, what, &status);
  }
  const config::Restart when = spec(unit).restart.when;
  const bool again = when == config::Restart::kAlways || when == config::Restart::kUnlessStopped;
  if (good && (spec(unit).kind != UnitKind::kService || !again)) return succeeded(unit);
  restart_later(unit, what, &status);
}

void Machine::succeeded(UnitId unit) {
  if (is_scheduled(unit) && !stopping_) {
    report(EventName::kRunFinished, unit, "run finished");
    return run_over(unit);
  }
  for (const Marker marker : spec(unit).markers_on_success) {
    if (stopping_ && marker == Marker::kDatabaseReady) continue;  // it will not be for long
    out_.emplace_back(command::WriteMarker{marker, unit, {}, 0});
  }
  set_state(unit, UnitState::kExited);
  report(EventName::kUnitStopped, unit, "finished");
  if (spec(unit).ends_container) {
    stop_container(Cause::kUnit, own_code(*record(unit).last_exit), spec(unit).name + " ended");
  }
}

/// By the restart policy; a failed health check restarts whatever the policy.
void Machine::restart_later(UnitId unit, const std::string& why, const ExitStatus* status) {
  UnitRecord& record = this->record(unit);
  const RestartPolicy& policy = spec(unit).restart;
  if (record.run_again) return give_up(unit, why, status);  // the next run is due: this one is not tried again
  if (policy.when == config::Restart::kNo && record.outcome != Outcome::kUnhealthy) return give_up(unit, why, status);
  const Duration delay = record.history.next_delay(policy, jitter_);
  if (record.history.exhausted(policy, after(now_, delay))) {
    return give_up(unit,
                   why + "; " + std::to_string(policy.start_limit_burst) + " starts within " +
                       describe(policy.start_limit_interval) + " are the limit",
                   status);
  }
  record.restarting = true;
  back_off(unit, delay, why);
}

void Machine::back_off(UnitId unit, Duration delay, const std::string& why) {
  record(unit).reason = why;
  set_state(unit, UnitState::kBackoff);
  timers_.arm(life_slot(unit), after(now_, delay));
  report(EventName::kUnitBackoff, unit, "starting again in " + describe(delay) + ": " + why);
  std::get<command::Report>(out_.back()).delay = delay;
}

void Machine::give_up(UnitId unit, const std::string& reason, const ExitStatus* status) {
  const bool lives = record(unit).main_alive || record(unit).group_alive || record(unit).hook_left;
  if (is_scheduled(unit) && !spec(unit).critical && !stopping_ && !lives) return run_failed(unit, reason);
  record(unit).reason = reason;
  const int code = failure_code(spec(unit), status);
  set_state(unit, UnitState::kFailed);
  report(EventName::kUnitFailed, unit, "failed: " + reason);
  if (spec(unit).critical || spec(unit).ends_container) fail_container(unit, reason, code);
}

void Machine::become_inactive(UnitId unit, bool held, std::string reason) {
  UnitRecord& record = this->record(unit);
  record.reason = std::move(reason);
  record.restarting = false;
  record.run_again = false;
  timers_.disarm(life_slot(unit));
  set_state(unit, UnitState::kInactive);
  report(EventName::kUnitStopped, unit, record.reason);
  if (!held) return;
  record.held = true;
  ++held_;
  refresh_facts(unit);
}

}  // namespace slipway::engine
