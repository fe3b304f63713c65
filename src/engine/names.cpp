// The stable names of states, events and markers.
#include "engine/engine.hpp"

namespace slipway::engine {

const char* to_string(UnitState state) {
  switch (state) {
    case UnitState::kInactive:
      return "inactive";
    case UnitState::kWaiting:
      return "waiting";
    case UnitState::kStarting:
      return "starting";
    case UnitState::kRunning:
      return "running";
    case UnitState::kReady:
      return "ready";
    case UnitState::kUnhealthy:
      return "unhealthy";
    case UnitState::kBackoff:
      return "backoff";
    case UnitState::kStopping:
      return "stopping";
    case UnitState::kScheduled:
      return "scheduled";
    case UnitState::kExited:
      return "exited";
    case UnitState::kFailed:
      return "failed";
    case UnitState::kSkipped:
      return "skipped";
  }
  return "unknown";
}

const char* to_string(EventName name) {
  switch (name) {
    case EventName::kUnitStarting:
      return "unit.starting";
    case EventName::kUnitStarted:
      return "unit.started";
    case EventName::kUnitReady:
      return "unit.ready";
    case EventName::kUnitUnhealthy:
      return "unit.unhealthy";
    case EventName::kUnitWatchdog:
      return "unit.watchdog";
    case EventName::kUnitReloading:
      return "unit.reloading";
    case EventName::kUnitReloaded:
      return "unit.reloaded";
    case EventName::kUnitExited:
      return "unit.exited";
    case EventName::kUnitBackoff:
      return "unit.backoff";
    case EventName::kUnitStopping:
      return "unit.stopping";
    case EventName::kUnitKilled:
      return "unit.killed";
    case EventName::kUnitStopped:
      return "unit.stopped";
    case EventName::kUnitFailed:
      return "unit.failed";
    case EventName::kUnitSkipped:
      return "unit.skipped";
    case EventName::kUnitLeftover:
      return "unit.leftover";
    case EventName::kUnitHook:
      return "unit.hook";
    case EventName::kUnitHookFailed:
      return "unit.hook_failed";
    case EventName::kRunFinished:
      return "run.finished";
    case EventName::kRunFailed:
      return "run.failed";
    case EventName::kRunSkipped:
      return "run.skipped";
    case EventName::kContainerReady:
      return "container.ready";
    case EventName::kContainerStopping:
      return "container.stopping";
    case EventName::kContainerStopped:
      return "container.stopped";
    case EventName::kConfigReloaded:
      return "config.reloaded";
    case EventName::kConfigReloadAbandoned:
      return "config.reload_abandoned";
  }
  return "unknown";
}

const char* to_string(HookKind kind) {
  switch (kind) {
    case HookKind::kPreStart:
      return "pre_start";
    case HookKind::kStopCommand:
      return "stop_command";
    case HookKind::kPostStop:
      return "post_stop";
  }
  return "unknown";
}

const char* to_string(Marker marker) {
  switch (marker) {
    case Marker::kDatabaseReady:
      return "database.ready";
    case Marker::kMigrateDone:
      return "migrate.done";
    case Marker::kReady:
      return "ready";
    case Marker::kFailed:
      return "failed";
  }
  return "unknown";
}

}  // namespace slipway::engine
