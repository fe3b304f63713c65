#pragma once
// The engine's inside: one record per unit and the transitions of the table in engine.hpp. The definitions are spread
// over files by subject: units.cpp (start, exit, what follows), readiness.cpp (probes and health), notices.cpp (what a
// unit says of itself), stopping.cpp (a unit's stop sequence), hooks.cpp (what runs beside its process), scheduling.cpp
// (scheduled runs), shutdown.cpp (the container's stop), operator.cpp (requests), reloading.cpp (another plan),
// machine.cpp (dispatch).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/dependencies.hpp"
#include "engine/engine.hpp"
#include "engine/reconcile.hpp"
#include "engine/restart.hpp"
#include "engine/timers.hpp"

namespace slipway::engine {

/// Why a unit's processes end, which decides what follows once they are gone.
enum class Outcome {
  kNatural,          ///< by themselves: success or failure, then the restart policy
  kTimedOut,         ///< not ready (or not finished) within start_timeout: a failed start
  kWatchdog,         ///< gave no sign of life in time: a failure
  kUnprepared,       ///< its pre_start failed: a failed start
  kShortage,         ///< no process could be made, for a reason that passes
  kNotStartable,     ///< no process could be made, for a reason that stays
  kUnhealthy,        ///< the health check asks for a restart, whatever the restart policy
  kOperatorStop,     ///< stays stopped until an operator starts it
  kOperatorRestart,  ///< starts again at once
  kReplaced,         ///< a run that the next one replaces, as soon as nothing of it lives
  kContainerStop,    ///< ends with the container
  kReload,           ///< a reload changes it or takes it away
};

enum class HookPhase { kRunning, kAsked, kKilled };

enum class ProbePhase { kOff, kIdle, kInFlight };

struct UnitRecord {
  UnitState state = UnitState::kInactive;
  Outcome outcome = Outcome::kNatural;
  int pid = 0;
  bool spawn_pending = false;  ///< Spawn was sent and not answered yet
  bool main_alive = false;
  bool group_alive = false;  ///< main is gone, others of its process group are not
  bool held = false;         ///< kInactive because an operator stopped it
  bool restarting = false;   ///< the next start counts as a restart
  bool settled = false;      ///< was up once, or ended once: see Machine::holds_readiness_back
  bool queued = false;
  bool leaving = false;  ///< a reload changes it or takes it away: it ends, and what follows is the new plan's business
  Instant since{};
  Instant started{};  ///< when its latest process came to exist
  unsigned restarts = 0;
  std::optional<ExitStatus> last_exit;
  std::string reason;
  StartHistory history;

  std::size_t stop_step = 0;  ///< the next step of the stop sequence
  bool killed = false;        ///< KILL was sent; only the last wait remains

  std::optional<HookKind> hook;  ///< which of its hooks runs
  HookPhase hook_phase = HookPhase::kRunning;
  bool hook_late = false;  ///< its timeout is over
  bool hook_left = false;  ///< a hook that KILL did not end still lives
  bool ran = false;        ///< this start brought a process to life

  ProbePhase probe = ProbePhase::kOff;
  ProbeKind probe_kind = ProbeKind::kReadiness;
  Duration pace{};  ///< before the next poll while starting
  unsigned health_failures = 0;
  bool start_period_over = false;

  Duration watchdog{};  ///< of this start; 0: none
  std::string status;
  std::optional<Instant> reloading;  ///< since when

  bool holds_readiness_back = false;  ///< cached, so that ready() is a comparison
  // Of a scheduled job; the times belong to the first of its instances.
  UnitId job{};                         ///< that one
  std::optional<UnitId> next_instance;  ///< the one after this
  std::optional<Instant> next_run;
  std::optional<Instant> last_run;
  Instant every_since{};
  std::chrono::sys_seconds pending_due{};  ///< the time of day that next_run stands for
  std::chrono::sys_seconds last_due{};     ///< the latest one that was run
  unsigned skipped_runs = 0;
  bool run_again = false;  ///< a due run waits for the old one's end

  std::uint32_t open_dependents = 0;  ///< during the container's stop: direct dependents not closed yet
  bool closed = false;                ///< during the container's stop: final, and so is whatever depends on it
};

class Machine {
 public:
  Machine(Plan plan, std::uint64_t seed);

  [[nodiscard]] Commands handle(const Event& event, Instant now);
  [[nodiscard]] std::optional<Instant> next_deadline() const;
  [[nodiscard]] const Plan& plan() const { return plan_; }
  [[nodiscard]] const std::vector<UnitId>& order() const { return order_; }
  [[nodiscard]] UnitView view(UnitId unit) const;
  [[nodiscard]] bool ready() const;
  [[nodiscard]] bool stopping() const { return stopping_; }
  [[nodiscard]] bool reloading() const { return reload_.has_value(); }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  enum class Cause { kOperator, kUnit, kNothingLeft };

  // --- machine.cpp: dispatch and bookkeeping
  void on(const event::Boot& event);
  void on(const event::Tick& event);
  void on(const event::SignalReceived& event);
  void on(const event::Paused& event);
  template <typename UnitEvent>
  void on(const UnitEvent& event);
  void timer_due(std::size_t slot);
  void enqueue(UnitId unit);
  void drain();
  void set_state(UnitId unit, UnitState state);
  void refresh_facts(UnitId unit);
  void refresh_readiness(UnitId unit);
  void publish_readiness();
  void remove_markers();
  [[nodiscard]] std::string waits_for(UnitId unit) const;
  void report(EventName name, std::optional<UnitId> unit, std::string message);
  [[nodiscard]] UnitRecord& record(UnitId unit) { return units_[index(unit)]; }
  [[nodiscard]] const UnitRecord& record(UnitId unit) const { return units_[index(unit)]; }
  [[nodiscard]] const UnitSpec& spec(UnitId unit) const { return plan_.units[index(unit)]; }
  // Timer slots: one for the container, then kUnitSlots per unit, so that a reload may add units.
  static constexpr std::size_t kShutdownSlot = 0;
  static constexpr std::size_t kUnitSlots = 5;
  [[nodiscard]] static std::size_t timer_slots(std::size_t units) { return 1 + kUnitSlots * units; }
  [[nodiscard]] static std::size_t life_slot(UnitId unit) { return 1 + kUnitSlots * index(unit); }
  [[nodiscard]] static std::size_t probe_slot(UnitId unit) { return 1 + kUnitSlots * index(unit) + 1; }
  [[nodiscard]] static std::size_t watchdog_slot(UnitId unit) { return 1 + kUnitSlots * index(unit) + 2; }
  [[nodiscard]] static std::size_t hook_slot(UnitId unit) { return 1 + kUnitSlots * index(unit) + 3; }
  [[nodiscard]] static std::size_t schedule_slot(UnitId unit) { return 1 + kUnitSlots * index(unit) + 4; }

  // --- units.cpp: from start to end
  void start_if_possible(UnitId unit);
  void begin_start(UnitId unit);
  void spawn(UnitId unit);
  void skip(UnitId unit);
  [[nodiscard]] std::string never_starts(UnitId unit) const;
  void unit_event(const event::Spawned& event);
  void unit_event(const event::SpawnFailed& event);
  void unit_event(const event::Exited& event);
  void unit_event(const event::GroupGone& event);
  void life_timer_due(UnitId unit);
  void processes_gone(UnitId unit);
  void ended(UnitId unit);
  void ended_by_itself(UnitId unit);
  void succeeded(UnitId unit);
  void restart_later(UnitId unit, const std::string& why, const ExitStatus* status);
  void back_off(UnitId unit, Duration delay, const std::string& why);
  void give_up(UnitId unit, const std::string& reason, const ExitStatus* status);
  void become_inactive(UnitId unit, bool held, std::string reason);

  // --- hooks.cpp: pre_start, stop_command, post_stop
  bool run_hook(UnitId unit, HookKind kind);
  void end_hook(UnitId unit);
  void kill_hook(UnitId unit);
  void hook_timer_due(UnitId unit);
  void unit_event(const event::HookFinished& event);
  void hook_over(UnitId unit, HookKind kind, const std::string& trouble);
  void pre_start_over(UnitId unit, const std::string& trouble);
  void stop_command_over(UnitId unit);

  // --- scheduling.cpp: scheduled jobs and their runs
  void on(const event::WallClock& event);
  void clock_changed(UnitId job, std::chrono::nanoseconds difference);
  void begin_schedule(UnitId unit);
  void arm_next_run(UnitId job);
  void refresh_schedule(UnitId unit);
  void run_due(UnitId job);
  void begin_run(UnitId unit);
  void run_now(UnitId unit);
  void replace_run(UnitId job);
  void skip_run(UnitId unit, const std::string& why);
  void skip_waiting_run(UnitId unit);
  void run_over(UnitId unit);
  void run_failed(UnitId unit, const std::string& why);
  void link_instances();
  [[nodiscard]] bool is_scheduled(UnitId unit) const { return spec(unit).schedule.has_value(); }
  [[nodiscard]] bool is_over(UnitId job) const;

  // --- readiness.cpp: probes
  void begin_readiness(UnitId unit);
  void begin_health(UnitId unit);
  void unit_event(const event::Notified& event);
  void unit_event(const event::ProbeFinished& event);
  void probe_timer_due(UnitId unit);
  void probe_now(UnitId unit);
  void poll_again(UnitId unit);
  void health_checked(UnitId unit, bool ok, const std::string& detail);
  void unhealthy(UnitId unit, const std::string& detail);
  void become_ready(UnitId unit);
  void end_probes(UnitId unit);

  // --- notices.cpp: what a unit says of itself
  void unit_event(const event::Notice& event);
  void refresh_watchdog(UnitId unit);
  void watchdog_bites(UnitId unit, const std::string& why);
  void says_ready(UnitId unit);
  void says_reloading(UnitId unit);
  void says_stopping(UnitId unit);
  void extend_timeouts(UnitId unit, Duration by);

  // --- stopping.cpp: one unit's stop sequence
  void stop_unit(UnitId unit, Outcome outcome, const std::string& why);
  void begin_stop_sequence(UnitId unit);
  void enter_stopping(UnitId unit);
  void next_stop_step(UnitId unit);
  void kill_unit(UnitId unit);
  void left_over(UnitId unit);

  // --- shutdown.cpp: the container's stop
  void on(const event::StopRequested& event);
  void stop_container(Cause cause, int code, const std::string& why);
  void fail_container(UnitId unit, const std::string& reason, int code);
  void advance_stop(UnitId unit);
  void kill_everything();
  void finish_if_done();
  [[nodiscard]] int exit_code() const;

  // --- operator.cpp: requests
  void unit_event(const event::StartUnit& event);
  void unit_event(const event::StopUnit& event);
  void unit_event(const event::RestartUnit& event);
  void unit_event(const event::SignalUnit& event);
  void operator_start(UnitId unit);
  void refuse(std::optional<UnitId> unit, std::string reason);
  [[nodiscard]] bool requests_allowed(UnitId unit);

  // --- reloading.cpp: another plan
  void on(const event::Reload& event);
  void begin_leaving(UnitId unit);
  void advance_reload();
  [[nodiscard]] bool stop_what_leaves();
  void switch_plans();
  void renew(UnitId unit, Change change);
  void count_again();
  void start_anew(UnitId unit, Change change);
  [[nodiscard]] bool starts_anew(UnitId unit, Change change) const;
  void abandon_reload();

  Plan plan_;
  std::vector<UnitRecord> units_;
  Dependencies dependencies_;
  Timers timers_;
  Jitter jitter_;
  Instant now_{};
  Commands out_;
  std::vector<UnitId> queue_;         ///< units to look at before handle() returns; each at most once
  std::vector<UnitId> order_;         ///< the plan's units, dependencies first; no free slots
  std::optional<Reconciled> reload_;  ///< what will be in force once everything that leaves has ended

  std::chrono::nanoseconds wall_offset_{0};  ///< time of day minus monotonic time
  bool wall_known_ = false;
  std::size_t active_ = 0;     ///< units not final
  std::size_t held_ = 0;       ///< units an operator stopped and may start again
  std::size_t not_ready_ = 0;  ///< units that hold readiness back
  bool booted_ = false;
  bool ready_marker_ = false;
  bool stopping_ = false;
  bool stop_overdue_ = false;  ///< shutdown_timeout is over: no more patience
  bool finished_ = false;
  Cause cause_ = Cause::kNothingLeft;
  int cause_code_ = 0;
  int stop_signal_ = 0;
};

/// Something of the unit lives, or what KILL could not end does.
[[nodiscard]] inline bool lives(const UnitRecord& record) {
  return record.main_alive || record.group_alive || record.hook_left;
}

/// The process lives and nobody has asked it to end.
[[nodiscard]] constexpr bool is_up(UnitState state) {
  return state == UnitState::kStarting || state == UnitState::kRunning || state == UnitState::kReady ||
         state == UnitState::kUnhealthy;
}

}  // namespace slipway::engine
