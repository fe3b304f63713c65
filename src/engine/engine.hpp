#pragma once
// The supervisor's whole policy as a pure function: events in, commands out. It makes no system call, reads no clock,
// starts no thread and allocates nothing that grows with time, so a simulator can drive it through millions of
// event orders. One owner (the supervisor loop, or a test) calls it from one thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/messages.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

// The states of one unit. "Up" is starting, running, ready or unhealthy; "final" is inactive, exited, failed or
// skipped: nothing runs and nothing is scheduled. A pair that is not listed is ignored, or refused when an operator
// asked.
//
//   state      event                                   next      commands, and what else happens
//   ---------  --------------------------------------  --------  -------------------------------------------------
//   inactive   Boot, enabled                           waiting
//   waiting    every dependency holds                  starting  Spawn; with a pre_start, RunHook first
//   waiting    a required one can never hold           skipped   a critical unit stops the container
//   waiting    StopUnit, container stops               inactive
//   starting   HookFinished ok, dependencies hold      starting  Spawn
//   starting   HookFinished ok, one no longer holds    waiting   no start is counted
//   starting   HookFinished not ok, or too late        -> "gone" below: a failed start
//   starting   pre_start runs: StopUnit, RestartUnit,  stopping  SignalHook TERM, KILL 1 s later
//                container stops
//   starting   Spawned: oneshot, or nothing to wait    running   start_timeout begins for a oneshot
//   starting   Spawned: readiness or health check      starting  Probe, unless it notifies; start_timeout begins
//   starting   Notified, READY=1, ProbeFinished ok     ready     health checks begin
//   starting   ProbeFinished not ok                    starting  Probe after 50 ms, doubling up to 1 s
//   starting   SpawnFailed, retryable                  backoff   whatever the restart policy; no start is counted
//   starting   SpawnFailed                             failed    at once: starting again would not help
//   up         start_timeout over                      stopping  Signal; a failed start
//   ready      health check failed `retries` times     unhealthy on_failure: restart -> stopping; shutdown: container
//   unhealthy  ProbeFinished ok                        ready
//   up, not    WATCHDOG=1                              same      the watchdog's time begins anew, as it began when
//     starting                                                   starting ended; WATCHDOG_USEC sets another
//   up, not    the watchdog's time over                stopping  Signal ABRT in place of the sequence's first one
//     starting
//   up         WATCHDOG=trigger                        stopping  the same at once
//   up, not    RELOADING=1, READY=1                    same      shown by `status` from the one to the other
//     starting
//   up, not    STOPPING=1                              stopping  no signal: it has the first step's wait for itself
//     starting
//   up,        EXTEND_TIMEOUT_USEC                     same      start_timeout, the step's wait and the watchdog end no
//     stopping                                                   earlier than that from now; never the wait after KILL
//   up         Paused                                  same      start_timeout ends that much later, the watchdog's
//                                                                time begins anew
//   up         Exited, none of its group left          -> "gone" below
//   up         Exited, others of its group left        stopping  Signal: they get the stop sequence from its start
//   up         StopUnit, RestartUnit                   stopping  Signal; with a stop_command, RunHook first
//   up         container stops, no dependent is left   stopping  Signal, or RunHook as above
//   stopping   HookFinished of stop_command            stopping  Signal: the stop sequence begins
//   stopping   a step's wait over                      stopping  Signal: the next step's, KILL after the last
//   stopping   the wait after KILL over                failed    reported as leftover; inactive if asked to stop
//   stopping   Exited, others left, kill_mode process  stopping  Signal KILL to the group
//   stopping   Exited or GroupGone, nothing left       -> "gone", but not before stop_command has ended
//   any        a hook's timeout over                   the same  SignalHook TERM, KILL 1 s later; unit.leftover and
//                                                                failed (inactive if asked) where KILL does not help
//   "gone"     there is a post_stop                    stopping  RunHook; what follows waits for HookFinished
//   "gone"     no post_stop, or it has ended           -> "ended", or by what it was stopped for:
//                StopUnit, container                   inactive
//                RestartUnit                           waiting   starts without backoff, limits forgotten
//                start_timeout, watchdog, pre_start    backoff or failed, as after a failure
//                nothing, by STOPPING=1                "ended"
//                SpawnFailed                           as above, for a unit with hooks
//                unhealthy                             backoff   whatever the restart policy; failed at the limit
//   "ended"    success, oneshot or no restart          exited    WriteMarker for a oneshot's markers
//   "ended"    the restart policy applies              backoff   failed when the start limit is reached
//   "ended"    failure, no restart                     failed    a critical unit stops the container
//   backoff    the delay is over, StartUnit            waiting   and so, dependencies permitting, starting
//   backoff    StopUnit, container stops               inactive
//   final      StartUnit, RestartUnit                  waiting   refused unless the dependencies hold
//
// A scheduled job rests in `scheduled` instead of the final states, and has these rows beside the ones above:
//
//   inactive   Boot, enabled                           scheduled the next run is due by cron or interval; run_at_boot:
//                                                                waiting at once
//   scheduled  due, StartUnit, RestartUnit             waiting   StartUnit is refused unless the dependencies hold
//   scheduled  StopUnit, container stops               inactive  nothing is due any more; StartUnit runs it, and the
//                                                                schedule goes on
//   waiting    a required one can never hold           scheduled this run is skipped
//   up, backoff, waiting or stopping, and due:
//              overlap forbid                          same      skipped and counted; the same for allow, when as many
//                                                                as may are running
//              replace: up                             stopping  Signal; the due run follows when nothing is left
//              replace: stopping                       same      the due run follows when nothing is left
//              replace: backoff                        waiting   the old run is not tried again
//              replace: waiting                        same      skipped: the run that waits is as good
//   "ended"    success                                 scheduled or waiting, when a run was to follow
//   "ended"    the restart policy applies              backoff   the start limit counts one run's starts alone
//   "ended"    failure, no restart, not critical       scheduled or waiting, when a run was to follow
//   stopping   the wait after KILL over                failed    nothing is due while its processes live
//   any        WallClock: set forward over due runs    same      one run is due now; those in between are forgotten
//   any        WallClock: set back, up to 3 hours      same      nothing that was due comes again
//   any        WallClock: set back by more             same      the clock was wrong: all counts anew
//
// A reload compares definitions (reconcile.hpp) and then goes through two phases. First everything that changes or goes
// away ("leaves") ends, in the reverse order of the dependencies; nothing else is touched. Then the new plan comes into
// force in one instant, and what it changes or adds starts in its order.
//
//   state      event                                   next      commands, and what else happens
//   ---------  --------------------------------------  --------  -------------------------------------------------
//   any        Reload, container stops or no boot yet  same      refused, and so is a second one before the first ended
//   any        Reload, definition unchanged            same      process, timers, counts and limits stay
//   leaving:   waiting, backoff, scheduled             inactive
//              up, no dependent is left that leaves    stopping  Signal, or RunHook of stop_command
//              nothing left, post_stop has ended       inactive  whatever its exit was; nobody is skipped for it
//              StartUnit, StopUnit, RestartUnit        same      refused
//              container stops                         as above  the reload is abandoned
//   nothing that leaves lives any more: the new plan is in force (Replan), and what was
//              changed or added, enabled               waiting   limits forgotten; inactive if an operator stopped it
//                                                                (scheduled, for a job: run_at_boot is for boots)
//              changed or added, disabled              inactive
//              changed, processes could not be ended   failed
//              removed                                 inactive  its slot is free
//              skipped, and may start after all        waiting
//
// The container stops when asked, when a critical unit is given up (failed or skipped), when a unit that ends the
// container ends, or when every unit is final (a job that is scheduled is not) and no operator may start one again. The
// first cause decides the exit code: the unit's (FailureCode), or 0. A stop that was asked for exits with 0, except
// that exit_code_from, or else `run -- CMD`, passes on its own code (128 + n for a signal), as under any plain init.

enum class UnitState {
  kInactive,   ///< disabled, or stopped by an operator or with the container
  kWaiting,    ///< a dependency's condition does not hold yet
  kStarting,   ///< the process lives, its readiness is not reached
  kRunning,    ///< the process lives; a oneshot at work, or a service without readiness
  kReady,      ///< readiness or health check succeeded
  kUnhealthy,  ///< the health check failed `retries` times
  kBackoff,    ///< ended; will be started again when the delay is over
  kStopping,   ///< its stop sequence runs, or leftovers of its group are being ended
  kExited,     ///< ended successfully
  kFailed,     ///< given up
  kSkipped,    ///< a required dependency can never hold
  kScheduled,  ///< a scheduled job between its runs
};

[[nodiscard]] constexpr bool is_final(UnitState state) {
  return state == UnitState::kInactive || state == UnitState::kExited || state == UnitState::kFailed ||
         state == UnitState::kSkipped;
}

/// What `status` shows of a unit.
struct UnitView {
  UnitState state = UnitState::kInactive;
  int pid = 0;  ///< 0: no process
  Instant since{};
  unsigned restarts = 0;
  std::optional<ExitStatus> last_exit;
  std::string reason;  ///< why it waits, failed or was skipped; empty otherwise
  std::string status;  ///< what it said of itself in this start (STATUS=); empty when nothing
  bool reloading = false;
  std::optional<Instant> next_run;  ///< of a scheduled job; of several instances, the first one tells
  std::optional<Instant> last_run;  ///< when its latest process was asked for
  unsigned skipped_runs = 0;
};

class Engine {
 public:
  /// `seed` drives the jitter of restarts and schedules and nothing else.
  Engine(Plan plan, std::uint64_t seed);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  /// Applies one event. Times never go backwards. Events that no longer concern a unit (a late probe answer, a
  /// notification of a dead process) are ignored.
  [[nodiscard]] Commands handle(const Event& event, Instant now);

  /// When the host must send Tick; empty when nothing is due, so that an idle PID 1 sleeps.
  [[nodiscard]] std::optional<Instant> next_deadline() const;

  [[nodiscard]] const Plan& plan() const;
  /// The plan's units, dependencies first; without free slots.
  [[nodiscard]] const std::vector<UnitId>& order() const;
  [[nodiscard]] UnitView view(UnitId unit) const;
  /// Every enabled service is up (ready where it can tell) and every oneshot succeeded. A unit that is not critical
  /// counts only until it was up or ended for the first time: its trouble must not take the container out of service.
  /// A scheduled job never counts.
  [[nodiscard]] bool ready() const;
  [[nodiscard]] bool stopping() const;
  /// A reload was accepted and its plan is not in force yet: something still has to end.
  [[nodiscard]] bool reloading() const;
  [[nodiscard]] bool finished() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] const char* to_string(UnitState state);
[[nodiscard]] const char* to_string(EventName name);
[[nodiscard]] const char* to_string(HookKind kind);
[[nodiscard]] const char* to_string(Marker marker);

}  // namespace slipway::engine
