// What runs beside a unit's process: pre_start before it, stop_command before its stop sequence, post_stop after it.
// Each has its time: then TERM, KILL a second later, and a hook that even KILL does not end is left over.
#include <csignal>
#include <utility>

#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

constexpr Duration kHookGrace = std::chrono::seconds(1);
constexpr Duration kHookKillWait = std::chrono::seconds(5);

const std::optional<HookSpec>& hook_of(const UnitSpec& spec, HookKind kind) {
  if (kind == HookKind::kPreStart) return spec.pre_start;
  return kind == HookKind::kStopCommand ? spec.stop_command : spec.post_stop;
}

}  // namespace

/// False where there is none or no time for it (a stop_grace_period of 0), and when the shutdown timeout is over.
bool Machine::run_hook(UnitId unit, HookKind kind) {
  const std::optional<HookSpec>& hook = hook_of(spec(unit), kind);
  if (!hook || hook->timeout <= Duration::zero() || stop_overdue_) return false;
  UnitRecord& record = this->record(unit);
  record.hook = kind;
  record.hook_phase = HookPhase::kRunning;
  record.hook_late = false;
  timers_.arm(hook_slot(unit), after(now_, hook->timeout));
  report(EventName::kUnitHook, unit, std::string("running ") + to_string(kind));
  out_.emplace_back(command::RunHook{unit, kind});
  return true;
}

void Machine::end_hook(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (record.hook_phase != HookPhase::kRunning) return;
  if (stop_overdue_) return kill_hook(unit);
  record.hook_phase = HookPhase::kAsked;
  timers_.arm(hook_slot(unit), after(now_, kHookGrace));
  out_.emplace_back(command::SignalHook{unit, SIGTERM});
}

void Machine::kill_hook(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (record.hook_phase == HookPhase::kKilled) return;
  record.hook_phase = HookPhase::kKilled;
  timers_.arm(hook_slot(unit), after(now_, kHookKillWait));
  out_.emplace_back(command::SignalHook{unit, SIGKILL});
}

void Machine::hook_timer_due(UnitId unit) {
  UnitRecord& record = this->record(unit);
  if (!record.hook) return;
  switch (record.hook_phase) {
    case HookPhase::kRunning:
      record.hook_late = true;
      return end_hook(unit);
    case HookPhase::kAsked:
      return kill_hook(unit);
    case HookPhase::kKilled:
      record.hook_left = true;
      return hook_over(unit, *std::exchange(record.hook, std::nullopt), "could not be ended");
  }
}

void Machine::unit_event(const event::HookFinished& event) {
  UnitRecord& record = this->record(event.unit);
  if (std::exchange(record.hook_left, false) || !record.hook) return;
  const HookKind kind = *std::exchange(record.hook, std::nullopt);
  timers_.disarm(hook_slot(event.unit));
  std::string trouble;
  if (record.hook_late) {
    trouble = "did not finish within " + describe(hook_of(spec(event.unit), kind)->timeout);
  } else if (record.hook_phase != HookPhase::kRunning) {
    trouble = "was stopped";
  } else if (event.status != ExitStatus{}) {
    trouble = describe(event.status);
  }
  hook_over(event.unit, kind, trouble);
}

/// `trouble` is empty for one that succeeded.
void Machine::hook_over(UnitId unit, HookKind kind, const std::string& trouble) {
  if (!trouble.empty()) report(EventName::kUnitHookFailed, unit, std::string(to_string(kind)) + " " + trouble);
  switch (kind) {
    case HookKind::kPreStart:
      return pre_start_over(unit, trouble);
    case HookKind::kStopCommand:
      return stop_command_over(unit);
    case HookKind::kPostStop:
      return record(unit).hook_left ? left_over(unit) : ended(unit);
  }
}

void Machine::pre_start_over(UnitId unit, const std::string& trouble) {
  UnitRecord& record = this->record(unit);
  if (record.state == UnitState::kStopping || (record.leaving && trouble.empty())) return processes_gone(unit);
  record.reason.clear();
  if (trouble.empty() && dependencies_.all_hold(unit)) return spawn(unit);
  if (trouble.empty()) {
    // What it depends on went away meanwhile. It did not begin, so it does not count.
    record.history.forget_last();
    return set_state(unit, UnitState::kWaiting);
  }
  record.outcome = Outcome::kUnprepared;
  record.reason = "pre_start " + trouble;
  processes_gone(unit);
}

void Machine::stop_command_over(UnitId unit) {
  const UnitRecord& record = this->record(unit);
  if (!record.main_alive && !record.group_alive) return processes_gone(unit);
  if (!record.killed) next_stop_step(unit);
}

}  // namespace slipway::engine
