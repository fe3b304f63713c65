// What an operator asks for one unit. Whatever cannot be done is refused with the reason.
#include <utility>

#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

constexpr int kLastSignal = 64;  ///< signal(7): Linux has 64

}  // namespace

void Machine::refuse(std::optional<UnitId> unit, std::string reason) {
  out_.emplace_back(command::Refuse{unit, std::move(reason)});
}

bool Machine::requests_allowed(UnitId unit) {
  if (stopping_) refuse(unit, "the container stops");
  if (!booted_) refuse(unit, "the boot has not begun");
  if (!booted_ || stopping_) return false;
  const bool absent = record(unit).leaving || spec(unit).removed;
  if (absent) refuse(unit, spec(unit).removed ? "a reload took it away" : "a reload is under way that concerns it");
  return !absent;
}

void Machine::unit_event(const event::StartUnit& event) {
  if (!requests_allowed(event.unit)) return;
  const UnitRecord& record = this->record(event.unit);
  const bool stops = record.outcome != Outcome::kNatural && record.outcome != Outcome::kOperatorRestart;
  if (record.state == UnitState::kStopping || (is_up(record.state) && stops)) {
    this->record(event.unit).outcome = record.spawn_pending ? Outcome::kNatural : Outcome::kOperatorRestart;
  } else if (is_up(record.state)) {
    refuse(event.unit, "it runs already");
  } else {
    operator_start(event.unit);
  }
}

/// A unit without processes starts now, without regard to backoff and start limit.
void Machine::operator_start(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (lives(record)) return refuse(unit, "processes of its last run still live");
  if (!dependencies_.all_hold(unit)) return refuse(unit, waits_for(unit));
  if (record.state == UnitState::kWaiting) return;  // starts before this call returns
  if (is_scheduled(unit)) return run_now(unit);
  timers_.disarm(life_slot(unit));
  record.history.reset();
  set_state(unit, UnitState::kWaiting);
}

void Machine::unit_event(const event::StopUnit& event) {
  if (!requests_allowed(event.unit)) return;
  UnitRecord& record = this->record(event.unit);
  record.restarting = false;
  if (is_final(record.state)) {
    refuse(event.unit, "it does not run");
  } else if (is_up(record.state)) {
    record.history.reset();
    stop_unit(event.unit, Outcome::kOperatorStop, "stopped by an operator");
  } else if (record.state == UnitState::kStopping) {
    record.outcome = Outcome::kOperatorStop;
  } else {
    record.history.reset();
    become_inactive(event.unit, true, "stopped by an operator");
  }
}

void Machine::unit_event(const event::RestartUnit& event) {
  if (!requests_allowed(event.unit)) return;
  UnitRecord& record = this->record(event.unit);
  if (is_up(record.state)) {
    stop_unit(event.unit, Outcome::kOperatorRestart, "restarted by an operator");
  } else if (record.state == UnitState::kStopping) {
    record.outcome = Outcome::kOperatorRestart;
  } else {
    operator_start(event.unit);
  }
}

/// To the main process alone, as a supervisor's reload does: a server passes on to its workers what they shall see.
void Machine::unit_event(const event::SignalUnit& event) {
  const UnitRecord& record = this->record(event.unit);
  if (event.signal <= 0 || event.signal > kLastSignal) return refuse(event.unit, "there is no such signal");
  if (!record.main_alive) return refuse(event.unit, "it does not run");
  out_.emplace_back(command::Signal{event.unit, event.signal, false});
}

}  // namespace slipway::engine
