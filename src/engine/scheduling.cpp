// When a scheduled job is due, and what becomes of a run. All instances of a job (`overlap: allow`) share the schedule
// of the first one: a due run goes to an instance that is free.
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "engine/calendar.hpp"
#include "engine/describe.hpp"
#include "engine/machine.hpp"

namespace slipway::engine {
namespace {

using std::chrono::floor;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

/// What reading two clocks one after the other may differ by: no change of the clock.
constexpr nanoseconds kClockNoise = std::chrono::milliseconds(10);
/// As in Vixie's cron: a clock that is set back by less keeps in mind which runs it has seen; beyond, it was wrong.
constexpr nanoseconds kCorrection = std::chrono::hours(3);

/// A due run takes effect up to `jitter` later.
Duration drawn(Duration jitter, Jitter& random) {
  if (jitter <= Duration::zero()) return Duration::zero();
  return Duration(static_cast<Duration::rep>(static_cast<double>(jitter.count()) * random.factor(1) / 2));
}

}  // namespace

/// Of each job, in the order of the plan. A reload may have put them into any slots.
void Machine::link_instances() {
  std::map<std::string_view, UnitId> last;
  for (const UnitId unit : order_) {
    if (!is_scheduled(unit)) continue;
    UnitRecord& record = this->record(unit);
    const auto [before, first] = last.emplace(spec(unit).worker, unit);
    record.job = first ? unit : this->record(before->second).job;
    record.next_instance.reset();
    if (!first) this->record(before->second).next_instance = unit;
    before->second = unit;
  }
}

void Machine::on(const event::WallClock& event) {
  const nanoseconds difference =
      nanoseconds(event.at.time_since_epoch()) - nanoseconds(now_.time_since_epoch()) - wall_offset_;
  const bool known = std::exchange(wall_known_, true);
  if (known && difference < kClockNoise && difference > -kClockNoise) return;
  wall_offset_ += difference;
  if (!booted_ || stopping_) return;
  for (const UnitId unit : order_) {
    if (!is_scheduled(unit) || record(unit).job != unit || !spec(unit).schedule->cron) continue;
    if (record(unit).next_run) {
      clock_changed(unit, difference);
    } else {
      refresh_schedule(unit);
    }
  }
}

/// The run that is due next keeps its time of day. Set forward beyond it, it is due now, and those after it that were
/// passed over are not made up for; set back, it comes later, and nothing that was due comes again.
void Machine::clock_changed(UnitId job, nanoseconds difference) {
  UnitRecord& record = this->record(job);
  if (difference < -kCorrection) {
    record.last_due = {};
    return arm_next_run(job);
  }
  record.next_run = *record.next_run - difference;
  timers_.arm(schedule_slot(job), *record.next_run);
}

void Machine::begin_schedule(UnitId unit) {
  record(unit).every_since = now_;
  set_state(unit, UnitState::kScheduled);
}

/// The first due time that lies ahead and has not been run.
void Machine::arm_next_run(UnitId job) {
  UnitRecord& record = this->record(job);
  const config::Schedule& schedule = *spec(job).schedule;
  if (schedule.every) {
    const auto passed = (now_ - record.every_since) / *schedule.every;
    record.next_run = record.every_since + (passed + 1) * *schedule.every;
  } else {
    record.next_run.reset();
    timers_.disarm(schedule_slot(job));
    if (!wall_known_) return;
    const auto wall = sys_seconds(floor<seconds>(now_.time_since_epoch() + wall_offset_));
    const std::optional<sys_seconds> due = next_due(*schedule.cron, schedule.timezone, std::max(wall, record.last_due));
    if (!due) return;
    record.pending_due = *due;
    record.next_run = Instant(due->time_since_epoch() - wall_offset_);
  }
  *record.next_run += drawn(schedule.jitter, jitter_);
  timers_.arm(schedule_slot(job), *record.next_run);
}

bool Machine::is_over(UnitId job) const {
  for (std::optional<UnitId> unit = job; unit; unit = record(*unit).next_instance) {
    if (!is_final(record(*unit).state)) return false;
  }
  return true;
}

/// A job of which every instance is final has no due times: PID 1 sleeps. Nor has one that a reload changes.
void Machine::refresh_schedule(UnitId unit) {
  const UnitId job = record(unit).job;
  UnitRecord& record = this->record(job);
  if (stopping_ || record.leaving || is_over(job)) {
    timers_.disarm(schedule_slot(job));
    record.next_run.reset();
  } else if (!record.next_run) {
    arm_next_run(job);
  }
}

void Machine::run_due(UnitId job) {
  record(job).last_due = record(job).pending_due;
  arm_next_run(job);
  for (std::optional<UnitId> unit = job; unit; unit = record(*unit).next_instance) {
    if (record(*unit).state == UnitState::kScheduled) return begin_run(*unit);
  }
  if (spec(job).schedule->overlap == config::Overlap::kReplace) return replace_run(job);
  skip_run(job, record(job).next_instance ? "as many as may are not over" : "its last run is not over");
}

void Machine::begin_run(UnitId unit) {
  timers_.disarm(life_slot(unit));
  record(unit).history.reset();
  record(unit).restarting = false;
  set_state(unit, UnitState::kWaiting);
}

/// For an operator, who also brings back a schedule that was stopped.
void Machine::run_now(UnitId unit) {
  for (std::optional<UnitId> each = record(unit).job; each; each = record(*each).next_instance) {
    if (*each != unit && record(*each).state == UnitState::kInactive) set_state(*each, UnitState::kScheduled);
  }
  begin_run(unit);
}

/// The old run ends first: at most one process per instance lives.
void Machine::replace_run(UnitId job) {
  UnitRecord& record = this->record(job);
  if (record.state == UnitState::kWaiting) return skip_run(job, "its last run still waits: " + waits_for(job));
  if (record.state == UnitState::kBackoff) return begin_run(job);
  if (std::exchange(record.run_again, true)) return skip_run(job, "a run before it still waits for the old one's end");
  if (is_up(record.state) && record.outcome == Outcome::kNatural) {
    stop_unit(job, Outcome::kReplaced, "replaced by the next run");
  }
}

void Machine::skip_run(UnitId unit, const std::string& why) {
  ++record(record(unit).job).skipped_runs;
  report(EventName::kRunSkipped, unit, "run skipped: " + why);
}

void Machine::skip_waiting_run(UnitId unit) {
  const std::string why = never_starts(unit);
  record(unit).reason = "the last run was skipped: " + why;
  set_state(unit, UnitState::kScheduled);
  skip_run(unit, why);
}

/// Nothing of the run lives any more.
void Machine::run_over(UnitId unit) {
  if (std::exchange(record(unit).run_again, false)) return begin_run(unit);
  set_state(unit, UnitState::kScheduled);
}

/// The job goes on: the next run is another chance.
void Machine::run_failed(UnitId unit, const std::string& why) {
  record(unit).reason = "the last run failed: " + why;
  report(EventName::kRunFailed, unit, "run failed: " + why);
  run_over(unit);
}

}  // namespace slipway::engine
