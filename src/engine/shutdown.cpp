// The container's stop: nothing starts any more, and units end in the reverse order of their dependencies.
#include <algorithm>
#include <utility>

#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {

/// A second request changes nothing, but `run -- CMD` receives its signal: under any other init it would too.
void Machine::on(const event::StopRequested& event) {
  if (!stopping_) {
    if (!booted_) remove_markers();
    stop_signal_ = event.signal;
    return stop_container(Cause::kOperator, 0, event.reason.empty() ? "stop requested" : event.reason);
  }
  if (event.signal == 0) return;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const bool asked = units_[i].state == UnitState::kStopping && units_[i].main_alive;
    if (!asked || !plan_.units[i].forwards_signals) continue;
    out_.emplace_back(command::Signal{static_cast<UnitId>(i), event.signal, false});
  }
}

/// The first cause decides the exit code; later ones are consequences.
void Machine::stop_container(Cause cause, int code, const std::string& why) {
  if (std::exchange(stopping_, true)) return;
  cause_ = cause;
  cause_code_ = code;
  if (reload_) abandon_reload();
  report(EventName::kContainerStopping, std::nullopt, "stopping: " + why);
  // migrate.done stays: this boot's migration has succeeded, whatever ends the container. The others describe what
  // runs.
  if (booted_) out_.emplace_back(command::RemoveMarker{Marker::kDatabaseReady});
  if (plan_.shutdown_timeout > Duration::zero()) timers_.arm(kShutdownSlot, after(now_, plan_.shutdown_timeout));
  for (std::size_t i = units_.size(); i-- > 0;) {
    const auto unit = static_cast<UnitId>(i);
    UnitRecord& record = units_[i];
    record.open_dependents = static_cast<std::uint32_t>(dependencies_.dependents(unit).size());
    enqueue(unit);
    if (is_scheduled(unit)) refresh_schedule(unit);
    if (record.state == UnitState::kScheduled || record.state == UnitState::kWaiting ||
        record.state == UnitState::kBackoff) {
      become_inactive(unit, false, "not started: the container stops");
    } else if (is_up(record.state)) {
      timers_.disarm(life_slot(unit));
      timers_.disarm(watchdog_slot(unit));
      end_probes(unit);
      // It has no process that could serve a dependent.
      if (record.hook == HookKind::kPreStart) stop_unit(unit, Outcome::kContainerStop, "the container stops");
    } else if (record.state == UnitState::kStopping && record.outcome != Outcome::kNatural) {
      record.outcome = Outcome::kContainerStop;
    }
  }
}

void Machine::fail_container(UnitId unit, const std::string& reason, int code) {
  if (stopping_) return;
  stop_container(Cause::kUnit, code, spec(unit).name + ": " + reason);
  out_.emplace_back(command::WriteMarker{Marker::kFailed, unit, reason, code});
}

/// A unit is closed when it is final and everything that depends on it, directly or not, is closed. Only then do its
/// own dependencies lose it.
void Machine::advance_stop(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (record.open_dependents > 0 || record.closed) return;
  if (is_up(record.state)) {
    if (record.outcome == Outcome::kNatural) stop_unit(unit, Outcome::kContainerStop, "the container stops");
    return;
  }
  if (!is_final(record.state)) return;
  record.closed = true;
  for (const UnitDependency& edge : spec(unit).dependencies) {
    if (--this->record(edge.unit).open_dependents == 0) enqueue(edge.unit);
  }
}

/// shutdown_timeout is over: order no longer matters.
void Machine::kill_everything() {
  stop_overdue_ = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (is_up(units_[i].state)) {
      stop_unit(unit, Outcome::kContainerStop, "the shutdown timeout is over");
    } else if (units_[i].state == UnitState::kStopping) {
      if (units_[i].hook) kill_hook(unit);
      if ((units_[i].main_alive || units_[i].group_alive) && !units_[i].killed) kill_unit(unit);
    }
  }
}

void Machine::finish_if_done() {
  if (active_ > 0) return;
  if (!stopping_) {
    // A unit that an operator stopped may be started again: the container waits for it.
    if (!booted_ || held_ > 0) return;
    stop_container(Cause::kNothingLeft, 0, "nothing is left to run");
    drain();
  }
  publish_readiness();
  const int code = exit_code();
  report(EventName::kContainerStopped, std::nullopt, "stopped with exit code " + std::to_string(code));
  out_.emplace_back(command::Finish{code});
  finished_ = true;
}

/// A cause inside the container brings its own code. A stop that was asked for is a success, except that
/// exit_code_from, or else `run -- CMD`, passes on how it ended, as under any plain init.
int Machine::exit_code() const {
  if (cause_ == Cause::kUnit) return cause_code_;
  std::optional<UnitId> from = plan_.exit_code_from;
  for (std::size_t i = 0; i < plan_.units.size() && !from; ++i) {
    if (plan_.units[i].ends_container) from = static_cast<UnitId>(i);
  }
  if (!from || !record(*from).last_exit) return 0;
  return own_code(*record(*from).last_exit);
}

}  // namespace slipway::engine
