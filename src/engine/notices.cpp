// What a unit says of itself with sd_notify(3), as systemd takes it. Only of a process that lives; whether the sender
// belongs to the unit is the host's to know.
#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {

void Machine::unit_event(const event::Notice& event) {
  UnitRecord& record = this->record(event.unit);
  if (!record.main_alive || is_final(record.state)) return;
  switch (event.kind) {
    case NoticeKind::kReady:
      return says_ready(event.unit);
    case NoticeKind::kStatus:
      record.status = event.text;
      return;
    case NoticeKind::kReloading:
      return says_reloading(event.unit);
    case NoticeKind::kStopping:
      return says_stopping(event.unit);
    case NoticeKind::kWatchdogInterval:
      record.watchdog = event.duration;
      [[fallthrough]];
    case NoticeKind::kAlive:
      timers_.disarm(watchdog_slot(event.unit));
      return refresh_watchdog(event.unit);
    case NoticeKind::kTrigger:
      return watchdog_bites(event.unit, "the unit asked for it (WATCHDOG=trigger)");
    case NoticeKind::kExtendTimeout:
      return extend_timeouts(event.unit, event.duration);
  }
}

/// Signs of life are due from the end of its start to the beginning of its stop.
void Machine::refresh_watchdog(UnitId unit) {
  const UnitRecord& record = this->record(unit);
  const bool due = is_up(record.state) && record.state != UnitState::kStarting && record.main_alive && !stopping_;
  if (!due || record.watchdog <= Duration::zero()) return timers_.disarm(watchdog_slot(unit));
  if (!timers_.armed(watchdog_slot(unit))) timers_.arm(watchdog_slot(unit), after(now_, record.watchdog));
}

void Machine::watchdog_bites(UnitId unit, const std::string& why) {
  const UnitRecord& record = this->record(unit);
  if (!is_up(record.state) || !record.main_alive || stopping_ || record.outcome != Outcome::kNatural) return;
  report(EventName::kUnitWatchdog, unit, "watchdog: " + why);
  stop_unit(unit, Outcome::kWatchdog, "watchdog: " + why);
}

void Machine::says_ready(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (!record.reloading) {
    if (spec(unit).ready && spec(unit).ready->sd_notify) unit_event(event::Notified{unit});
    return;
  }
  const auto took = std::chrono::duration_cast<Duration>(now_ - *record.reloading);
  record.reloading.reset();
  report(EventName::kUnitReloaded, unit, "reloaded after " + describe(took));
}

void Machine::says_reloading(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (!is_up(record.state) || record.state == UnitState::kStarting || record.reloading) return;
  record.reloading = now_;
  report(EventName::kUnitReloading, unit, "reloading");
}

/// It ends by itself, and how it ends decides what follows. What its stop sequence would ask of it first, it does
/// already.
void Machine::says_stopping(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const bool alone = record.outcome == Outcome::kNatural;
  if (!is_up(record.state) || record.state == UnitState::kStarting || !alone) return;
  enter_stopping(unit);
  report(EventName::kUnitStopping, unit, "it says that it stops");
  const auto& sequence = spec(unit).stop_sequence;
  if (sequence.empty() || stop_overdue_) return kill_unit(unit);
  record.stop_step = 1;
  if (sequence.front().wait <= Duration::zero()) return next_stop_step(unit);
  timers_.arm(life_slot(unit), after(now_, sequence.front().wait));
}

/// Nothing that runs out of time now does so before `by` is over; what has longer keeps it.
void Machine::extend_timeouts(UnitId unit, Duration by) {
  const UnitRecord& record = this->record(unit);
  if (record.state != UnitState::kStopping || !record.killed) timers_.postpone(life_slot(unit), after(now_, by));
  timers_.postpone(watchdog_slot(unit), after(now_, by));
}

/// What the units said meanwhile was not heard, and where the whole container was frozen they could not say anything.
void Machine::on(const event::Paused& event) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (!is_up(units_[i].state)) continue;
    timers_.delay(life_slot(unit), event.span);
    if (timers_.armed(watchdog_slot(unit))) {
      timers_.delay(watchdog_slot(unit), event.span);
      timers_.postpone(watchdog_slot(unit), after(now_, units_[i].watchdog));
    }
  }
}

}  // namespace slipway::engine
