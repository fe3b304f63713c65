#include "engine/machine.hpp"

#include <algorithm>
#include <csignal>
#include <utility>

#include "engine/describe.hpp"

namespace slipway::engine {

Machine::Machine(Plan plan, std::uint64_t seed)
    : plan_(std::move(plan)),
      units_(plan_.units.size()),
      dependencies_(plan_),
      timers_(timer_slots(plan_.units.size())),
      jitter_(seed) {
  queue_.reserve(units_.size());
  for (std::size_t i = 0; i < units_.size(); ++i) order_.push_back(static_cast<UnitId>(i));
  link_instances();
}

Commands Machine::handle(const Event& event, Instant now) {
  if (finished_) return {};
  now_ = std::max(now_, now);
  std::visit([this](const auto& specific) { on(specific); }, event);
  drain();
  advance_reload();
  finish_if_done();
  publish_readiness();
  return std::exchange(out_, {});
}

std::optional<Instant> Machine::next_deadline() const {
  if (finished_) return std::nullopt;
  return timers_.next();
}

/// Everything that concerns one unit: a host or an operator may name one that does not exist.
template <typename UnitEvent>
void Machine::on(const UnitEvent& event) {
  if (index(event.unit) < units_.size()) unit_event(event);
}

void Machine::on(const event::Boot&) {
  if (booted_ || stopping_) return;
  booted_ = true;
  remove_markers();
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (plan_.units[i].enabled && is_scheduled(unit)) {
      begin_schedule(unit);
      if (units_[i].job == unit && plan_.units[i].schedule->run_at_boot) begin_run(unit);
    } else if (plan_.units[i].enabled) {
      set_state(unit, UnitState::kWaiting);
    } else {
      units_[i].reason = "disabled";
      units_[i].since = now_;
      refresh_facts(unit);
    }
  }
}

void Machine::on(const event::Tick&) {
  while (const std::optional<std::size_t> slot = timers_.take_due(now_)) timer_due(*slot);
}

void Machine::timer_due(std::size_t slot) {
  if (slot == kShutdownSlot) return kill_everything();
  const auto unit = static_cast<UnitId>((slot - 1) / kUnitSlots);
  if (slot == life_slot(unit)) return life_timer_due(unit);
  if (slot == probe_slot(unit)) return probe_timer_due(unit);
  if (slot == hook_slot(unit)) return hook_timer_due(unit);
  if (slot == schedule_slot(unit)) return run_due(unit);
  watchdog_bites(unit, "no WATCHDOG=1 within " + describe(record(unit).watchdog));
}

/// To `run -- CMD` as it is; HUP is also how daemons are told to read their configuration again.
void Machine::on(const event::SignalReceived& event) {
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (!units_[i].main_alive || is_final(units_[i].state)) continue;
    if (plan_.units[i].forwards_signals) {
      out_.emplace_back(command::Signal{unit, event.signal, false});
    } else if (event.signal == SIGHUP && !stopping_ && plan_.units[i].reload_signal) {
      out_.emplace_back(command::Signal{unit, plan_.units[i].reload_signal->number, false});
    }
  }
}

void Machine::enqueue(UnitId unit) {
  if (std::exchange(record(unit).queued, true)) return;
  queue_.push_back(unit);
}

/// A work list instead of recursion: a chain of a thousand units must not become a thousand stack frames.
void Machine::drain() {
  for (std::size_t next = 0; next < queue_.size(); ++next) {
    const UnitId unit = queue_[next];
    record(unit).queued = false;
    if (stopping_) {
      advance_stop(unit);
    } else {
      start_if_possible(unit);
    }
  }
  queue_.clear();
}

void Machine::set_state(UnitId unit, UnitState state) {
  UnitRecord& record = this->record(unit);
  if (is_final(record.state) && !is_final(state)) ++active_;
  if (!is_final(record.state) && is_final(state)) --active_;
  if (std::exchange(record.held, false)) --held_;
  record.state = state;
  record.since = now_;
  if (state == UnitState::kRunning || state == UnitState::kReady || state == UnitState::kBackoff || is_final(state)) {
    record.settled = true;
  }
  if (!is_up(state)) record.reloading.reset();
  refresh_watchdog(unit);
  refresh_facts(unit);
  refresh_readiness(unit);
  if (is_scheduled(unit)) refresh_schedule(unit);
  if (state == UnitState::kWaiting || stopping_) enqueue(unit);
}

void Machine::refresh_facts(UnitId unit) {
  const UnitRecord& record = this->record(unit);
  const bool oneshot = spec(unit).kind != UnitKind::kService;
  DependencyFacts facts;
  facts.completed = record.state == UnitState::kExited;
  facts.started = (record.main_alive && is_up(record.state)) || (oneshot && facts.completed);
  facts.healthy = record.state == UnitState::kReady || (!oneshot && record.state == UnitState::kRunning) ||
                  (oneshot && facts.completed);
  facts.final = is_final(record.state) && !record.leaving;  // the new plan may bring it back
  facts.held = record.held;
  if (!dependencies_.update(unit, facts)) return;
  if (stopping_) return;
  for (const Dependencies::Dependent& dependent : dependencies_.dependents(unit)) {
    if (this->record(dependent.unit).state == UnitState::kWaiting) enqueue(dependent.unit);
  }
}

/// A unit that is not critical counts until it was up or ended once: its trouble later on must not take the container
/// out of service.
void Machine::refresh_readiness(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const UnitSpec& spec = this->spec(unit);
  const bool oneshot = spec.kind == UnitKind::kOneshot;
  const bool good = record.state == UnitState::kReady || (!oneshot && record.state == UnitState::kRunning) ||
                    (oneshot && record.state == UnitState::kExited);
  const bool excused = !spec.critical && record.settled && (!oneshot || is_final(record.state));
  const bool holds_back = spec.enabled && !good && !excused && spec.kind != UnitKind::kScheduled;
  if (record.holds_readiness_back == holds_back) return;
  record.holds_readiness_back = holds_back;
  if (holds_back) {
    ++not_ready_;
  } else {
    --not_ready_;
  }
}

bool Machine::ready() const { return booted_ && !stopping_ && not_ready_ == 0; }

void Machine::publish_readiness() {
  if (ready() == ready_marker_ || finished_) return;
  ready_marker_ = ready();
  if (ready_marker_) {
    out_.emplace_back(command::WriteMarker{Marker::kReady, std::nullopt, {}, 0});
    report(EventName::kContainerReady, std::nullopt, "ready");
  } else {
    out_.emplace_back(command::RemoveMarker{Marker::kReady});
  }
}

/// What an earlier boot left behind must not be believed for a moment.
void Machine::remove_markers() {
  for (const Marker marker : {Marker::kMigrateDone, Marker::kDatabaseReady, Marker::kReady, Marker::kFailed}) {
    out_.emplace_back(command::RemoveMarker{marker});
  }
}

std::string Machine::waits_for(UnitId unit) const {
  for (const UnitDependency& edge : spec(unit).dependencies) {
    if (edge_state(edge, dependencies_.facts(edge.unit)) == EdgeState::kHolds) continue;
    return spec(edge.unit).name + " is " + to_string(record(edge.unit).state) + ", not " + describe(edge.condition);
  }
  return {};
}

UnitView Machine::view(UnitId unit) const {
  const UnitRecord& record = this->record(unit);
  UnitView view{record.state,     record.pid,      record.since,       record.restarts,
                record.last_exit, record.reason,   record.status,      record.reloading.has_value(),
                record.next_run,  record.last_run, record.skipped_runs};
  if (record.state == UnitState::kWaiting) view.reason = waits_for(unit);
  return view;
}

void Machine::report(EventName name, std::optional<UnitId> unit, std::string message) {
  command::Report report;
  report.name = name;
  report.unit = unit;
  report.message = std::move(message);
  out_.emplace_back(std::move(report));
}

}  // namespace slipway::engine
