// When a service counts as up: the readiness gate while it starts, its health checks afterwards.
#include <algorithm>

#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

constexpr Duration kFirstPace = std::chrono::milliseconds(50);
constexpr Duration kSlowestPace = std::chrono::seconds(1);
constexpr Duration kReadinessTimeout = std::chrono::seconds(10);
constexpr Duration kDefaultTimeout = std::chrono::seconds(30);  ///< Compose's, for a timeout of 0
/// An interval of 0 must not keep PID 1 busy.
constexpr Duration kShortestInterval = std::chrono::milliseconds(10);
/// What the host may take beyond the timeout before the probe counts as failed.
constexpr Duration kAnswerGrace = std::chrono::seconds(1);

bool says_so_itself(const config::Readiness& ready) {
  return ready.notify_fd.has_value() || ready.sd_notify || !ready.log_line.empty();
}

}  // namespace

/// The gate is `ready`, else the health check, else none.
void Machine::begin_readiness(UnitId unit) {
  const UnitSpec& spec = this->spec(unit);
  UnitRecord& record = this->record(unit);
  record.pace = kFirstPace;
  record.health_failures = 0;
  record.start_period_over = false;
  if (!spec.ready && !spec.healthcheck) return set_state(unit, UnitState::kRunning);
  refresh_facts(unit);
  if (stopping_ || record.outcome != Outcome::kNatural) return;
  // A start period longer than the limit would be pointless: it is time given to the start on purpose.
  const Duration period = spec.ready ? Duration::zero() : spec.healthcheck->start_period;
  if (spec.start_timeout > Duration::zero()) {
    timers_.arm(life_slot(unit), after(now_, std::max(spec.start_timeout, period)));
  }
  if (spec.ready && says_so_itself(*spec.ready)) return;
  record.probe_kind = spec.ready ? ProbeKind::kReadiness : ProbeKind::kHealth;
  probe_now(unit);
}

void Machine::unit_event(const event::Notified& event) {
  const UnitRecord& record = this->record(event.unit);
  const UnitSpec& spec = this->spec(event.unit);
  if (record.state != UnitState::kStarting || !record.main_alive || !spec.ready) return;
  if (!says_so_itself(*spec.ready) || record.outcome != Outcome::kNatural) return;
  become_ready(event.unit);
}

void Machine::become_ready(UnitId unit) {
  const auto took = std::chrono::duration_cast<Duration>(now_ - record(unit).started);
  timers_.disarm(life_slot(unit));
  record(unit).reason.clear();
  set_state(unit, UnitState::kReady);
  report(EventName::kUnitReady, unit, "ready after " + describe(took));
  if (spec(unit).healthcheck && !stopping_) begin_health(unit);
}

void Machine::begin_health(UnitId unit) {
  UnitRecord& record = this->record(unit);
  record.start_period_over = record.probe_kind == ProbeKind::kHealth && record.probe != ProbePhase::kOff;
  record.probe_kind = ProbeKind::kHealth;
  poll_again(unit);
}

void Machine::probe_now(UnitId unit) {
  UnitRecord& record = this->record(unit);
  Duration timeout = kReadinessTimeout;
  if (record.probe_kind == ProbeKind::kHealth) {
    timeout = spec(unit).healthcheck->timeout;
    if (timeout <= Duration::zero()) timeout = kDefaultTimeout;
  }
  record.probe = ProbePhase::kInFlight;
  timers_.arm(probe_slot(unit), after(after(now_, timeout), kAnswerGrace));
  out_.emplace_back(command::Probe{unit, record.probe_kind, timeout});
}

void Machine::probe_timer_due(UnitId unit) {
  const UnitRecord& record = this->record(unit);
  if (record.probe == ProbePhase::kIdle) return probe_now(unit);
  if (record.probe != ProbePhase::kInFlight) return;
  out_.emplace_back(command::CancelProbes{unit});
  unit_event(event::ProbeFinished{unit, record.probe_kind, false, "no answer in time"});
}

void Machine::unit_event(const event::ProbeFinished& event) {
  UnitRecord& record = this->record(event.unit);
  if (record.probe != ProbePhase::kInFlight || record.probe_kind != event.kind) return;
  record.probe = ProbePhase::kIdle;
  timers_.disarm(probe_slot(event.unit));
  if (record.state != UnitState::kStarting) return health_checked(event.unit, event.ok, event.detail);
  if (event.ok) return become_ready(event.unit);
  record.reason = "not ready: " + event.detail;
  poll_again(event.unit);
}

/// While starting, quickly at first and then slower, so that a fast start is seen at once; a health check that is the
/// gate slows down to its own interval. Afterwards at the health check's pace.
void Machine::poll_again(UnitId unit) {
  UnitRecord& record = this->record(unit);
  const auto& check = spec(unit).healthcheck;
  Duration delay{};
  if (record.state == UnitState::kStarting) {
    const bool health = record.probe_kind == ProbeKind::kHealth;
    delay = record.pace;
    record.pace = std::min(2 * record.pace, health ? std::min(check->interval, check->start_interval) : kSlowestPace);
  } else {
    const bool early = !record.start_period_over && now_ < after(record.started, check->start_period);
    delay = early ? check->start_interval : check->interval;
  }
  record.probe = ProbePhase::kIdle;
  timers_.arm(probe_slot(unit), after(now_, std::max(delay, kShortestInterval)));
}

void Machine::health_checked(UnitId unit, bool ok, const std::string& detail) {
  UnitRecord& record = this->record(unit);
  const config::HealthCheck& check = *spec(unit).healthcheck;
  if (ok) {
    record.health_failures = 0;
    record.start_period_over = true;
    record.reason.clear();
    if (record.state == UnitState::kUnhealthy) {
      set_state(unit, UnitState::kReady);
      report(EventName::kUnitReady, unit, "healthy again");
    }
  } else if (record.start_period_over || now_ >= after(record.started, check.start_period)) {
    const unsigned limit = std::max(check.retries, 1U);
    record.health_failures = std::min(record.health_failures + 1, limit);
    if (record.health_failures == limit && record.state == UnitState::kReady) unhealthy(unit, detail);
  }
  if (record.probe == ProbePhase::kIdle && is_up(record.state)) poll_again(unit);
}

void Machine::unhealthy(UnitId unit, const std::string& detail) {
  const std::string why = "unhealthy: " + detail;
  record(unit).reason = why;
  set_state(unit, UnitState::kUnhealthy);
  report(EventName::kUnitUnhealthy, unit, why);
  switch (spec(unit).healthcheck->on_failure) {
    case config::HealthAction::kIgnore:
      return;
    case config::HealthAction::kRestart:
      return stop_unit(unit, Outcome::kUnhealthy, why);
    case config::HealthAction::kShutdown:
      return fail_container(unit, why, failure_code(spec(unit), nullptr));
  }
}

void Machine::end_probes(UnitId unit) {
  UnitRecord& record = this->record(unit);
  timers_.disarm(probe_slot(unit));
  if (record.probe == ProbePhase::kInFlight) out_.emplace_back(command::CancelProbes{unit});
  record.probe = ProbePhase::kOff;
}

}  // namespace slipway::engine
