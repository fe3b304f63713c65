#pragma once
// What goes into the engine and what comes out of it. Events are facts the host saw; commands are what it must do.
// Both are plain values, so that a run can be recorded, replayed and simulated.

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/plan.hpp"

namespace slipway::engine {

/// A moment on a monotonic clock. The engine never reads one: every event brings its time.
using Instant = std::chrono::steady_clock::time_point;

/// How a process ended, or why it never began.
struct ExitStatus {
  enum class Kind { kExited, kSignaled, kNotStarted };
  Kind kind = Kind::kExited;
  int value = 0;       ///< the exit code or the signal number; unused for kNotStarted
  std::string reason;  ///< kNotStarted: what failed, e.g. "execve /bin/x: No such file or directory"
  bool operator==(const ExitStatus&) const = default;
};

enum class ProbeKind { kReadiness, kHealth };

/// What a unit says of itself with sd_notify(3).
enum class NoticeKind {
  kReady,             ///< READY=1: it is up, or its reload is over
  kStatus,            ///< STATUS=: `text`
  kReloading,         ///< RELOADING=1
  kStopping,          ///< STOPPING=1
  kAlive,             ///< WATCHDOG=1
  kTrigger,           ///< WATCHDOG=trigger
  kWatchdogInterval,  ///< WATCHDOG_USEC=: `duration`, 0 turns the watchdog off until the next start
  kExtendTimeout,     ///< EXTEND_TIMEOUT_USEC=: `duration` from now
};

namespace event {
/// The first event. Removes the markers, then starts what may start.
struct Boot {};
/// Answers a Spawn command: the process exists.
struct Spawned {
  UnitId unit{};
  int pid = 0;
};
/// Answers a Spawn command: no process exists. `retryable` for EAGAIN and its kind (fork limits, memory).
struct SpawnFailed {
  UnitId unit{};
  std::string reason;
  bool retryable = false;
};
/// The unit's main process was reaped. `group_alive`: others of its process group still live, or daemons that left it.
struct Exited {
  UnitId unit{};
  ExitStatus status;
  bool group_alive = false;
};
/// The last process of the unit's group, and of what left it, is gone (only after Exited with group_alive).
struct GroupGone {
  UnitId unit{};
};
/// The unit's hook ended, and what it left of its process group was killed; or it could not be started.
struct HookFinished {
  UnitId unit{};
  ExitStatus status;
};
/// The unit itself said it is ready (notify_fd, log_line).
struct Notified {
  UnitId unit{};
};
/// The unit said something with sd_notify(3).
struct Notice {
  UnitId unit{};
  NoticeKind kind{};
  Duration duration{};
  std::string text;
};
/// Answers a Probe command; `detail` says what went wrong.
struct ProbeFinished {
  UnitId unit{};
  ProbeKind kind{};
  bool ok = false;
  std::string detail;
};
/// The time of day is `at` now. Sent before Boot where a schedule has a time of day, and again whenever the clock was
/// set or the machine slept: what a monotonic clock does not see.
struct WallClock {
  std::chrono::system_clock::time_point at;
};
/// Time passed; sent when Engine::next_deadline() is due (earlier or later does no harm).
struct Tick {};
/// The host itself did not run for this long (it was stopped or frozen): nobody could be heard meanwhile.
struct Paused {
  Duration span{};
};
/// The container shall stop: a signal or a command. `signal` is 0 when it was no signal.
struct StopRequested {
  int signal = 0;
  std::string reason;
};
/// A signal for the workers that is not a request to stop (HUP, USR1, USR2, WINCH).
struct SignalReceived {
  int signal = 0;
};
/// An operator's request for one unit.
struct StartUnit {
  UnitId unit{};
};
struct StopUnit {
  UnitId unit{};
};
struct RestartUnit {
  UnitId unit{};
};
struct SignalUnit {
  UnitId unit{};
  int signal = 0;
};
/// Another plan shall be in force: what differs is stopped, replaced, started. `plan` is a fresh one, without free
/// slots.
struct Reload {
  Plan plan;
};
}  // namespace event

using Event =
    std::variant<event::Boot, event::Spawned, event::SpawnFailed, event::Exited, event::GroupGone, event::HookFinished,
                 event::Notified, event::ProbeFinished, event::Tick, event::StopRequested, event::SignalReceived,
                 event::StartUnit, event::StopUnit, event::RestartUnit, event::SignalUnit, event::Reload, event::Notice,
                 event::Paused, event::WallClock>;

/// Stable names of what happens to units and to the container; documented in docs/, tested, and never renamed.
enum class EventName {
  kUnitStarting,
  kUnitStarted,
  kUnitReady,
  kUnitUnhealthy,
  kUnitWatchdog,   ///< no WATCHDOG=1 came in time, or the unit asked for it
  kUnitReloading,  ///< the unit says that it reads its configuration again
  kUnitReloaded,
  kUnitExited,
  kUnitBackoff,
  kUnitStopping,
  kUnitKilled,
  kUnitStopped,
  kUnitFailed,
  kUnitSkipped,
  kUnitLeftover,  ///< processes outlived their unit and could not be ended
  kUnitHook,
  kUnitHookFailed,
  kContainerReady,
  kContainerStopping,
  kContainerStopped,
  kConfigReloaded,
  kConfigReloadAbandoned,  ///< the container began to stop before the new plan was in force
  kRunFinished,            ///< a scheduled run ended successfully
  kRunFailed,              ///< a scheduled run was given up; the next one is due as ever
  kRunSkipped,             ///< a due run did not take place
};

namespace command {
/// Start the unit's process. The host answers with Spawned or SpawnFailed before any other event of this unit.
struct Spawn {
  UnitId unit{};
};
/// Send a signal to the unit's process group, or to its main process alone. A group that is gone is no error.
struct Signal {
  UnitId unit{};
  int signal = 0;
  bool group = true;
};
/// Start one of the unit's hooks; the host answers with HookFinished. Never two at once of one unit.
struct RunHook {
  UnitId unit{};
  HookKind kind{};
};
/// Send a signal to the process group of the unit's hook. One that is gone is no error.
struct SignalHook {
  UnitId unit{};
  int signal = 0;
};
/// Run the unit's readiness probe or health check once; the host answers with ProbeFinished within `timeout`.
struct Probe {
  UnitId unit{};
  ProbeKind kind{};
  Duration timeout{};
};
/// The unit ended or stops: abandon its probes and forget late answers.
struct CancelProbes {
  UnitId unit{};
};
/// Write a marker; for kFailed `unit`, `reason` and `exit_code` are set.
struct WriteMarker {
  Marker marker{};
  std::optional<UnitId> unit;
  std::string reason;
  int exit_code = 0;
};
struct RemoveMarker {
  Marker marker{};
};
/// Tell the log and the event stream. `message` is for people; the rest are fields for machines.
struct Report {
  EventName name{};
  std::optional<UnitId> unit;
  std::string message;
  std::optional<int> pid;
  std::optional<ExitStatus> status;
  std::optional<Duration> delay;
};
/// An operator's request could not be taken; a reload's concerns no unit.
struct Refuse {
  std::optional<UnitId> unit;
  std::string reason;
};
/// From here on this plan is in force (Engine::plan() says the same). Nothing lives of the units that it changes or
/// takes away, except what KILL could not end.
struct Replan {
  Plan plan;
};
/// Everything has ended: leave with this code. No command follows.
struct Finish {
  int exit_code = 0;
};
}  // namespace command

using Command = std::variant<command::Spawn, command::Signal, command::RunHook, command::SignalHook, command::Probe,
                             command::CancelProbes, command::WriteMarker, command::RemoveMarker, command::Report,
                             command::Refuse, command::Finish, command::Replan>;
using Commands = std::vector<Command>;

}  // namespace slipway::engine
