// One unit's stop: each step's signal and wait, then KILL to its group, then a last bounded wait.
#include <csignal>
#include <utility>

#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

/// The kernel ends a killed process at once unless it hangs in a system call (a dead NFS server, a broken disk).
constexpr Duration kKillWait = std::chrono::seconds(5);

}  // namespace

/// For a unit that is up; one whose process is just being made stops as soon as it exists.
void Machine::stop_unit(UnitId unit, Outcome outcome, const std::string& why) {
  UnitRecord& record = this->record(unit);
  record.outcome = outcome;
  record.reason = why;
  if (record.hook == HookKind::kPreStart) {
    set_state(unit, UnitState::kStopping);
    report(EventName::kUnitStopping, unit, "stopping: " + why);
    return end_hook(unit);
  }
  if (!record.spawn_pending) begin_stop_sequence(unit);
}

void Machine::enter_stopping(UnitId unit) {
  UnitRecord& record = this->record(unit);
  end_probes(unit);
  timers_.disarm(life_slot(unit));
  record.stop_step = 0;
  record.killed = false;
  set_state(unit, UnitState::kStopping);
}

void Machine::begin_stop_sequence(UnitId unit) {
  enter_stopping(unit);
  const UnitRecord& record = this->record(unit);
  const char* what = record.main_alive ? "stopping" : "stopping what is left of its process group";
  report(EventName::kUnitStopping, unit, record.reason.empty() ? what : what + (": " + record.reason));
  if (stop_overdue_) return kill_unit(unit);
  // One that hangs is not asked for anything; it shall leave a core.
  const bool asks = record.main_alive && record.outcome != Outcome::kWatchdog;
  if (asks && run_hook(unit, HookKind::kStopCommand)) return;
  next_stop_step(unit);
}

void Machine::next_stop_step(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const UnitSpec& spec = this->spec(unit);
  const bool group = spec.kill_mode == config::KillMode::kGroup;
  while (record.stop_step < spec.stop_sequence.size() && (group || record.main_alive)) {
    const config::StopStep& step = spec.stop_sequence[record.stop_step];
    int signal = step.signal.number;
    if (record.stop_step == 0 && spec.forwards_signals && stopping_ && stop_signal_ != 0) signal = stop_signal_;
    if (record.stop_step == 0 && record.outcome == Outcome::kWatchdog) signal = SIGABRT;
    out_.emplace_back(command::Signal{unit, signal, group});
    ++record.stop_step;
    if (step.wait > Duration::zero()) return timers_.arm(life_slot(unit), after(now_, step.wait));
  }
  kill_unit(unit);
}

void Machine::kill_unit(UnitId unit) {
  record(unit).killed = true;
  const bool main = record(unit).main_alive;
  report(EventName::kUnitKilled, unit,
         main ? "killing it: it did not end" : "killing what is left of its process group");
  out_.emplace_back(command::Signal{unit, SIGKILL, true});
  timers_.arm(life_slot(unit), after(now_, kKillWait));
}

/// Even KILL did not end it. It is written off, and never started again while its processes live.
void Machine::left_over(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const Outcome outcome = record.outcome;
  if (std::exchange(record.hook, std::nullopt)) record.hook_left = true;
  timers_.disarm(hook_slot(unit));
  const std::string what = "processes are left that KILL did not end";
  report(EventName::kUnitLeftover, unit, what);
  end_probes(unit);
  if (stopping_ || record.leaving) return become_inactive(unit, false, what);
  if (outcome != Outcome::kOperatorStop) return give_up(unit, what, nullptr);
  become_inactive(unit, true, what);
  if (spec(unit).ends_container) fail_container(unit, what, failure_code(spec(unit), nullptr));
}

}  // namespace slipway::engine
