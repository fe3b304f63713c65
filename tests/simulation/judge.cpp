// Every command, against what is known when it is given.
#include <algorithm>
#include <csignal>
#include <utility>

#include "oracle.hpp"

namespace slipway::simulation {

using engine::EventName;
using engine::ExitStatus;
using engine::Marker;
using engine::UnitKind;
using engine::UnitSpec;
namespace event = engine::event;
namespace command = engine::command;

void Oracle::violate(int invariant, const std::string& what) {
  if (!violation_) violation_ = Violation{invariant, what};
}

void Oracle::judge(const engine::Command& command) {
  if (violation_) return;
  if (finished_) return violate(7, "there are commands after Finish");
  if (std::holds_alternative<event::Boot>(*event_) && removed_at_boot_ < 4) {
    if (!std::holds_alternative<command::RemoveMarker>(command)) {
      return violate(3, "the boot does something before every marker is removed");
    }
    ++removed_at_boot_;
  }
  std::visit([this](const auto& specific) { judge_command(specific); }, command);
}

void Oracle::judge_command(const command::Spawn& spawn) {
  const std::size_t index = engine::index(spawn.unit);
  if (!plan_.units[index].pre_start) {
    judge_start(index);
  } else {
    const Unit& unit = units_[index];
    const std::string& name = plan_.units[index].name;
    if (unit.pending || unit.alive || unit.group || unit.hook) return violate(2, name + " would live twice");
    if (!unit.prepared) return violate(1, name + " starts without its pre_start");
    if (!may_start(index)) return violate(1, name + " starts before its dependencies hold");
  }
  units_[index].prepared = false;
  units_[index].pending = true;
}

/// The first command of a start.
void Oracle::judge_start(std::size_t index) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  const engine::RestartPolicy& policy = spec.restart;
  const bool lives = unit.pending || unit.alive || unit.group || unit.hook || unit.hook_left;
  if (lives) return violate(2, spec.name + " would live twice");
  if (stopping_) return violate(1, spec.name + " starts although the container stops");
  if (!may_start(index)) return violate(1, spec.name + " starts before its dependencies hold");
  if (unit.rest != Rest::kNone) return violate(6, spec.name + " starts again although it was given up or is done");
  if (unit.delayed && now_ < unit.earliest) return violate(6, spec.name + " starts again before its backoff is over");
  const auto recent = std::count_if(unit.starts.begin(), unit.starts.end(),
                                    [&](Instant start) { return start + policy.start_limit_interval > now_; });
  if (policy.start_limit_burst > 0 && recent >= policy.start_limit_burst) {
    return violate(6, spec.name + " starts beyond its start limit");
  }
  while (unit.starts.size() > policy.start_limit_burst) unit.starts.pop_front();
  Unit next;
  next.starts = std::move(unit.starts);
  next.starts.push_back(now_);
  next.attempts = unit.attempts;
  next.last = unit.last;
  unit = std::move(next);
}

void Oracle::judge_command(const command::RunHook& hook) {
  const std::size_t index = engine::index(hook.unit);
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (unit.hook || unit.hook_left) return violate(2, spec.name + " runs two hooks at once");
  const bool lives = unit.pending || unit.alive || unit.group;
  config::Duration timeout{};
  if (hook.kind == engine::HookKind::kPreStart) {
    judge_start(index);
    timeout = spec.pre_start->timeout;
  } else if (hook.kind == engine::HookKind::kStopCommand) {
    if (!unit.alive || unit.asked) return violate(4, spec.name + " runs its stop_command out of turn");
    begin_asking(index);
    timeout = spec.stop_command->timeout;
  } else {
    if (lives || unit.ended != now_) return violate(4, spec.name + " runs its post_stop out of turn");
    timeout = spec.post_stop->timeout;
  }
  unit.hook = hook.kind;
  unit.hook_stage = 0;
  unit.hook_due = now_ + timeout;
}

void Oracle::judge_command(const command::SignalHook& signal) {
  const std::size_t index = engine::index(signal.unit);
  Unit& unit = units_[index];
  const std::string& name = plan_.units[index].name;
  if (!unit.hook) return violate(2, name + " has no hook to signal");
  const int stage = signal.signal == SIGKILL ? 2 : 1;
  if (unit.hook_stage >= stage) return violate(4, name + "'s hook is signalled out of order");
  const bool unwanted =
      unit.hook == engine::HookKind::kPreStart && (unit.wish != Wish::kNone || stopping_ || unit.leaving);
  const bool asked = stage == 1 && unwanted;
  if (now_ < unit.hook_due && !asked && !overdue()) violate(4, name + "'s hook is not given its time");
  unit.hook_stage = stage;
  unit.hook_due = now_ + std::chrono::seconds(stage == 1 ? 1 : 5);
}

/// A signal that is handed on, not one of a stop sequence.
bool Oracle::passes_on(const command::Signal& signal) const {
  if (signal.group) return false;
  const UnitSpec& spec = plan_.units[engine::index(signal.unit)];
  if (const auto* one = std::get_if<event::SignalUnit>(event_)) return one->unit == signal.unit;
  if (std::holds_alternative<event::SignalReceived>(*event_)) return spec.forwards_signals || spec.reload_signal;
  return repeated_stop_ && spec.forwards_signals && std::holds_alternative<event::StopRequested>(*event_);
}

void Oracle::judge_command(const command::Signal& signal) {
  const std::size_t index = engine::index(signal.unit);
  const Unit& unit = units_[index];
  if (!unit.alive && !unit.group) return violate(2, plan_.units[index].name + " is signalled but has no process");
  if (passes_on(signal)) return;
  const UnitSpec& spec = plan_.units[index];
  if (!unit.asked) {
    begin_asking(index);
    const bool aborts = unit.may_abort && (signal.signal == SIGABRT || spec.stop_sequence.empty());
    if (unit.alive && spec.stop_command && !aborts && !overdue())
      violate(4, spec.name + " is stopped without its stop_command");
  }
  if (unit.hook && !overdue()) return violate(4, spec.name + " is signalled while its stop_command runs");
  judge_stop_step(index, signal);
}

bool Oracle::overdue() const {
  return stopping_ && plan_.shutdown_timeout.count() > 0 && now_ >= stopped_at_ + plan_.shutdown_timeout;
}

/// The first signal of a stop: is there a reason, and is it its turn?
void Oracle::begin_asking(std::size_t index) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  unit.asked = true;
  unit.next_due = now_;
  unit.may_ask = !unit.alive || unit.wish != Wish::kNone || stopping_;
  if (!unit.alive || unit.wish != Wish::kNone) return;
  if (stopping_) return judge_order(index);
  const bool sick = unit.unhealthy && spec.healthcheck->on_failure == config::HealthAction::kRestart;
  const bool unfinished = spec.kind == UnitKind::kOneshot || !unit.gate_passed;
  const bool leaves = unit.leaving && its_turn_to_leave(index);
  unit.timed_out = unfinished && spec.start_timeout.count() > 0 &&
                   now_ >= std::max(unit.spawned + unit.paused + spec.start_timeout, unit.extended);
  unit.may_ask = sick || unit.timed_out || leaves;
  unit.may_abort = unit.triggered || (unit.watchdog_due && now_ >= *unit.watchdog_due);
  unit.timed_out |= unit.may_abort;
  if (!unit.may_ask && !unit.may_abort) violate(4, spec.name + " is stopped without a reason");
}

void Oracle::judge_order(std::size_t index) {
  if (overdue() || dependents_at_rest(index)) return;
  violate(5, plan_.units[index].name + " is stopped before what depends on it");
}

void Oracle::judge_stop_step(std::size_t index, const command::Signal& signal) {
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  const bool group = spec.kill_mode == config::KillMode::kGroup;
  const bool kill = signal.signal == SIGKILL && signal.group;
  if (unit.killed) return violate(4, spec.name + " is signalled after KILL");
  const bool no_main = !group && !unit.alive;
  if (now_ < unit.next_due && !(kill && (overdue() || no_main))) {
    return violate(4, spec.name + " is not given the time of its stop sequence");
  }
  unit.last_step = now_;
  if (kill && (unit.next_step >= spec.stop_sequence.size() || no_main || overdue())) {
    unit.killed = true;
    unit.next_due = now_ + std::chrono::seconds(5);
    return;
  }
  if (unit.next_step >= spec.stop_sequence.size()) return violate(4, spec.name + " gets one signal too many");
  const config::StopStep& step = spec.stop_sequence[unit.next_step];
  const bool as_received = unit.next_step == 0 && spec.forwards_signals && stopping_ && stop_signal_ != 0;
  const bool aborts = unit.may_abort && unit.next_step == 0 && signal.signal == SIGABRT;
  const bool asks = unit.may_ask || unit.next_step > 0;
  const bool right = asks && signal.signal == (as_received ? stop_signal_ : step.signal.number);
  if ((!right && !aborts) || signal.group != group) {
    return violate(4, spec.name + " is stopped with another signal than its sequence says");
  }
  ++unit.next_step;
  unit.next_due = now_ + step.wait;
}

void Oracle::judge_command(const command::Probe& probe) {
  Unit& unit = units_[engine::index(probe.unit)];
  if (!unit.alive || unit.asked) return violate(2, "a unit that does not run is probed");
  unit.probe = probe.kind;
  unit.probe_due = now_ + probe.timeout;
}

void Oracle::judge_command(const command::CancelProbes& cancel) {
  Unit& unit = units_[engine::index(cancel.unit)];
  const bool unanswered = unit.probe && std::holds_alternative<event::Tick>(*event_) && now_ >= unit.probe_due;
  if (unanswered) probe_answered(unit, plan_.units[engine::index(cancel.unit)], false);
  unit.probe.reset();
}

void Oracle::judge_command(const command::WriteMarker& written) {
  marked_[static_cast<int>(written.marker)] = true;
  if (written.marker == Marker::kFailed) {
    if (!stopping_ || !culprit_ || written.exit_code != expected_code_) violate(7, "`failed` tells of another failure");
    return;
  }
  if (written.marker == Marker::kReady) return;
  if (!written.unit || !boundary(*written.unit)) return violate(3, "a marker is written for no unit");
  const std::size_t index = engine::index(*written.unit);
  if (!units_[index].marker) violate(3, plan_.units[index].name + "'s marker is written without its success");
  units_[index].marker = false;
}

void Oracle::judge_command(const command::RemoveMarker& removed) { marked_[static_cast<int>(removed.marker)] = false; }

void Oracle::judge_command(const command::Report& report) {
  if (report.name == EventName::kContainerStopping) return container_stops();
  if (!report.unit) return;
  const std::size_t index = engine::index(*report.unit);
  Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  const bool first = !stopping_ && !culprit_;
  if (report.name == EventName::kUnitFailed) {
    judge_failure(index);
    unit.rest = Rest::kFailed;
    if (!first || !(spec.critical || spec.ends_container)) return;
    culprit_ = index;
    expected_code_ = code_of(index);
  } else if (report.name == EventName::kUnitSkipped) {
    judge_skip(index);
    unit.rest = Rest::kSkipped;
    if (!first || !spec.critical) return;
    culprit_ = index;
    unit.natural = false;
    expected_code_ = code_of(index);
  } else if (report.name == EventName::kUnitStopped) {
    const auto* stop = std::get_if<event::StopUnit>(event_);
    const bool asked =
        stopping_ || unit.leaving || unit.wish == Wish::kStop || (stop != nullptr && stop->unit == *report.unit);
    if (unit.rest != Rest::kSucceeded) {
      if (!asked) violate(6, spec.name + " stays stopped though nobody asked");
      unit.rest = Rest::kStopped;
      unit.held = !stopping_ && !unit.leaving;
    }
    if (!first || unit.leaving || !spec.ends_container || stop != nullptr) return;
    culprit_ = index;
    expected_code_ = unit.written_off ? code_of(index) : 0;
    if (!unit.written_off && unit.last->kind == ExitStatus::Kind::kExited) expected_code_ = unit.last->value;
    if (!unit.written_off && unit.last->kind == ExitStatus::Kind::kSignaled) expected_code_ = 128 + unit.last->value;
    if (!unit.written_off && unit.last->kind == ExitStatus::Kind::kNotStarted) expected_code_ = 80;
  } else if (report.name == EventName::kUnitUnhealthy) {
    if (!unit.unhealthy) violate(4, spec.name + " is called unhealthy too early");
    if (!first || spec.healthcheck->on_failure != config::HealthAction::kShutdown) return;
    culprit_ = index;
    expected_code_ = spec.failure == engine::FailureCode::kOwn ? 80 : static_cast<int>(spec.failure_code);
  } else if (report.name == EventName::kUnitLeftover) {
    const bool killed = unit.killed && now_ >= unit.next_due;
    if (!killed && !unit.hook_left) violate(2, spec.name + " is written off too early");
    if (std::exchange(unit.hook, std::nullopt)) unit.hook_left = true;
    unit.written_off = true;
  }
}

void Oracle::judge_failure(std::size_t index) {
  const Unit& unit = units_[index];
  const UnitSpec& spec = plan_.units[index];
  if (unit.rest != Rest::kNone) return violate(6, spec.name + " fails after its end");
  if (unit.not_startable || unit.written_off || stopping_) return;
  if (spec.ends_container && unit.natural) return;
  if (spec.restart.when == config::Restart::kNo && (unit.natural || unit.timed_out || unit.unprepared)) return;
  const auto recent = std::count_if(unit.starts.begin(), unit.starts.end(), [&](Instant start) {
    return start + spec.restart.start_limit_interval > unit.earliest;
  });
  const bool limit = spec.restart.start_limit_burst > 0 && recent >= spec.restart.start_limit_burst;
  if (!limit) violate(6, spec.name + " is given up before its start limit");
}

void Oracle::judge_skip(std::size_t index) {
  const auto& edges = plan_.units[index].dependencies;
  const bool never = std::any_of(edges.begin(), edges.end(), [&](const engine::UnitDependency& edge) {
    const std::size_t on = engine::index(edge.unit);
    return !holds(edge) && edge.required && final(on) && !units_[on].held;
  });
  if (!never) violate(1, plan_.units[index].name + " is skipped although it could start");
}

void Oracle::container_stops() {
  if (stopping_) return violate(7, "the container begins to stop twice");
  stopping_ = true;
  stopped_at_ = now_;
  next_.reset();
  for (Unit& unit : units_) unit.leaving = false;
  if (culprit_) return;
  own_code_of_source_ = true;
  if (requested_) return;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (!final(i) || units_[i].held) return violate(7, "the container stops without a cause");
  }
}

void Oracle::judge_command(const command::Finish& finish) {
  finished_ = true;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (!at_rest(i)) return violate(7, plan_.units[i].name + " still lives when PID 1 leaves");
  }
  if (!stopping_) return violate(7, "PID 1 leaves without stopping");
  if (marked_[static_cast<int>(Marker::kReady)]) return violate(3, "`ready` outlives the container");
  int expected = expected_code_;
  if (own_code_of_source_) {
    expected = 0;
    std::size_t source = units_.size();
    for (std::size_t i = units_.size(); i-- > 0;) {
      if (plan_.units[i].ends_container) source = i;
    }
    if (plan_.exit_code_from) source = engine::index(*plan_.exit_code_from);
    const auto last = source < units_.size() ? last_of(source) : std::nullopt;
    if (last) expected = last->kind == ExitStatus::Kind::kExited ? last->value : 128 + last->value;
    if (last && last->kind == ExitStatus::Kind::kNotStarted) expected = 80;
  }
  if (finish.exit_code != expected) {
    violate(7, "exit code " + std::to_string(finish.exit_code) + " instead of " + std::to_string(expected));
  }
}

}  // namespace slipway::simulation
