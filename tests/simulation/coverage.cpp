#include "coverage.hpp"

#include <cstdio>

namespace slipway::simulation {
namespace {

using engine::Event;
using engine::UnitState;
namespace event = engine::event;

bool up(UnitState state) {
  return state == UnitState::kStarting || state == UnitState::kRunning || state == UnitState::kReady ||
         state == UnitState::kUnhealthy;
}

/// `own`: the event names this unit (Tick, Boot, StopRequested and other units' events do not).
struct Transition {
  UnitState from;
  const Event& event;
  bool own;
  UnitState to;
  template <typename T>
  [[nodiscard]] bool is() const {
    return std::holds_alternative<T>(event);
  }
};

struct Row {
  const char* text;
  bool (*matches)(const Transition&);
};

using T = const Transition&;
using S = UnitState;

bool ends(T t) { return t.own && (t.is<event::Exited>() || t.is<event::GroupGone>()); }

template <S kFrom, typename Happens, S... kTo>
bool row(T t) {
  return t.from == kFrom && t.own && t.is<Happens>() && ((t.to == kTo) || ...);
}

const Row kRows[] = {
    {"inactive: Boot -> waiting", [](T t) { return t.is<event::Boot>() && t.to == S::kWaiting; }},
    {"inactive: Boot -> starting", [](T t) { return t.is<event::Boot>() && t.to == S::kStarting; }},
    {"inactive: Boot, disabled", [](T t) { return t.is<event::Boot>() && t.to == S::kInactive; }},
    {"waiting: dependencies hold -> starting", [](T t) { return t.from == S::kWaiting && t.to == S::kStarting; }},
    {"waiting: can never hold -> skipped", [](T t) { return t.from == S::kWaiting && t.to == S::kSkipped; }},
    {"waiting: StopUnit -> inactive", row<S::kWaiting, event::StopUnit, S::kInactive>},
    {"waiting: StartUnit refused", row<S::kWaiting, event::StartUnit, S::kWaiting>},
    {"waiting: container stops -> inactive",
     [](T t) { return t.from == S::kWaiting && t.is<event::StopRequested>() && t.to == S::kInactive; }},
    {"starting: Spawned -> running", row<S::kStarting, event::Spawned, S::kRunning>},
    {"starting: Spawned, gate -> starting", row<S::kStarting, event::Spawned, S::kStarting>},
    {"starting: Spawned after a stop -> stopping", row<S::kStarting, event::Spawned, S::kStopping>},
    {"starting: Notified -> ready", row<S::kStarting, event::Notified, S::kReady>},
    {"starting: probe ok -> ready", row<S::kStarting, event::ProbeFinished, S::kReady>},
    {"starting: probe not ok -> starting", row<S::kStarting, event::ProbeFinished, S::kStarting>},
    {"starting: SpawnFailed -> backoff", row<S::kStarting, event::SpawnFailed, S::kBackoff>},
    {"starting: SpawnFailed -> failed", row<S::kStarting, event::SpawnFailed, S::kFailed>},
    {"starting: SpawnFailed after a stop -> inactive", row<S::kStarting, event::SpawnFailed, S::kInactive>},
    {"starting: pre_start ok -> starting", row<S::kStarting, event::HookFinished, S::kStarting>},
    {"starting: pre_start ok, dependencies gone -> waiting or skipped",
     row<S::kStarting, event::HookFinished, S::kWaiting, S::kSkipped>},
    {"starting: pre_start failed -> backoff", row<S::kStarting, event::HookFinished, S::kBackoff>},
    {"starting: pre_start failed -> failed", row<S::kStarting, event::HookFinished, S::kFailed>},
    {"starting: pre_start failed, post_stop -> stopping", row<S::kStarting, event::HookFinished, S::kStopping>},
    {"starting: SpawnFailed, post_stop -> stopping", row<S::kStarting, event::SpawnFailed, S::kStopping>},
    {"stopping: HookFinished -> stopping", row<S::kStopping, event::HookFinished, S::kStopping>},
    {"stopping: HookFinished -> exited", row<S::kStopping, event::HookFinished, S::kExited>},
    {"stopping: HookFinished -> failed", row<S::kStopping, event::HookFinished, S::kFailed>},
    {"stopping: HookFinished -> inactive", row<S::kStopping, event::HookFinished, S::kInactive>},
    {"stopping: HookFinished -> backoff", row<S::kStopping, event::HookFinished, S::kBackoff>},
    {"stopping: HookFinished -> starting again", row<S::kStopping, event::HookFinished, S::kStarting, S::kWaiting>},
    {"final: HookFinished of a leftover",
     [](T t) { return engine::is_final(t.from) && t.own && t.is<event::HookFinished>() && t.to == t.from; }},
    {"starting: start_timeout -> stopping",
     [](T t) { return t.from == S::kStarting && t.is<event::Tick>() && t.to == S::kStopping; }},
    {"running: start_timeout of a oneshot -> stopping",
     [](T t) { return t.from == S::kRunning && t.is<event::Tick>() && t.to == S::kStopping; }},
    {"ready: unhealthy -> stopping", row<S::kReady, event::ProbeFinished, S::kStopping>},
    {"ready: unhealthy, ignored -> unhealthy", row<S::kReady, event::ProbeFinished, S::kUnhealthy>},
    {"ready: health check answers late -> stopping or unhealthy",
     [](T t) { return t.from == S::kReady && t.is<event::Tick>() && (t.to == S::kStopping || t.to == S::kUnhealthy); }},
    {"unhealthy: probe ok -> ready", row<S::kUnhealthy, event::ProbeFinished, S::kReady>},
    {"unhealthy: probe not ok -> unhealthy", row<S::kUnhealthy, event::ProbeFinished, S::kUnhealthy>},
    {"starting: READY=1 -> ready", row<S::kStarting, event::Notice, S::kReady>},
    {"starting: WATCHDOG=trigger -> stopping", row<S::kStarting, event::Notice, S::kStopping>},
    {"running: STOPPING=1 or WATCHDOG=trigger -> stopping", row<S::kRunning, event::Notice, S::kStopping>},
    {"ready: STOPPING=1 or WATCHDOG=trigger -> stopping", row<S::kReady, event::Notice, S::kStopping>},
    {"ready: the watchdog's time over -> stopping",
     [](T t) { return t.from == S::kReady && t.is<event::Tick>() && t.to == S::kStopping; }},
    {"stopping: EXTEND_TIMEOUT_USEC", row<S::kStopping, event::Notice, S::kStopping>},
    {"stopping: Exited after STOPPING=1 -> exited", row<S::kStopping, event::Exited, S::kExited>},
    {"up: Exited -> exited", [](T t) { return up(t.from) && ends(t) && t.to == S::kExited; }},
    {"up: Exited -> backoff", [](T t) { return up(t.from) && ends(t) && t.to == S::kBackoff; }},
    {"up: Exited -> failed", [](T t) { return up(t.from) && ends(t) && t.to == S::kFailed; }},
    {"up: Exited, group left -> stopping", [](T t) { return up(t.from) && ends(t) && t.to == S::kStopping; }},
    {"up: StopUnit -> stopping",
     [](T t) { return up(t.from) && t.own && t.is<event::StopUnit>() && t.to == S::kStopping; }},
    {"up: RestartUnit -> stopping",
     [](T t) { return up(t.from) && t.own && t.is<event::RestartUnit>() && t.to == S::kStopping; }},
    {"up: StartUnit refused", [](T t) { return up(t.from) && t.own && t.is<event::StartUnit>() && t.to == t.from; }},
    {"up: SignalUnit", [](T t) { return up(t.from) && t.own && t.is<event::SignalUnit>(); }},
    {"up: container stops -> stopping",
     [](T t) { return up(t.from) && t.is<event::StopRequested>() && t.to == S::kStopping; }},
    {"up: container stops, dependents live",
     [](T t) { return up(t.from) && t.is<event::StopRequested>() && t.to == t.from; }},
    {"up: last dependent gone -> stopping",
     [](T t) {
       return up(t.from) && !t.own && (t.is<event::Exited>() || t.is<event::GroupGone>()) && t.to == S::kStopping;
     }},
    {"stopping: step over -> stopping",
     [](T t) { return t.from == S::kStopping && t.is<event::Tick>() && t.to == t.from; }},
    {"stopping: leftover -> failed or inactive",
     [](T t) { return t.from == S::kStopping && t.is<event::Tick>() && (t.to == S::kFailed || t.to == S::kInactive); }},
    {"stopping: Exited, group left -> stopping", row<S::kStopping, event::Exited, S::kStopping>},
    {"stopping: Exited -> inactive", row<S::kStopping, event::Exited, S::kInactive>},
    {"stopping: Exited -> starting again", row<S::kStopping, event::Exited, S::kStarting, S::kWaiting>},
    {"stopping: Exited -> backoff", row<S::kStopping, event::Exited, S::kBackoff>},
    {"stopping: Exited -> failed", row<S::kStopping, event::Exited, S::kFailed>},
    {"stopping: GroupGone -> exited", row<S::kStopping, event::GroupGone, S::kExited>},
    {"stopping: GroupGone -> backoff", row<S::kStopping, event::GroupGone, S::kBackoff>},
    {"stopping: GroupGone -> inactive", row<S::kStopping, event::GroupGone, S::kInactive>},
    {"stopping: GroupGone -> failed", row<S::kStopping, event::GroupGone, S::kFailed>},
    {"stopping: StartUnit, StopUnit, RestartUnit",
     [](T t) {
       return t.from == S::kStopping && t.own && t.to == t.from &&
              (t.is<event::StartUnit>() || t.is<event::StopUnit>() || t.is<event::RestartUnit>());
     }},
    {"backoff: delay over -> starting",
     [](T t) { return t.from == S::kBackoff && t.is<event::Tick>() && t.to == S::kStarting; }},
    {"backoff: delay over -> waiting",
     [](T t) { return t.from == S::kBackoff && t.is<event::Tick>() && t.to == S::kWaiting; }},
    {"backoff: delay over, can never hold -> skipped",
     [](T t) { return t.from == S::kBackoff && t.is<event::Tick>() && t.to == S::kSkipped; }},
    {"backoff: StartUnit -> starting", row<S::kBackoff, event::StartUnit, S::kStarting>},
    {"backoff: StopUnit -> inactive", row<S::kBackoff, event::StopUnit, S::kInactive>},
    {"backoff: container stops -> inactive",
     [](T t) { return t.from == S::kBackoff && t.is<event::StopRequested>() && t.to == S::kInactive; }},
    {"inactive: StartUnit -> starting", row<S::kInactive, event::StartUnit, S::kStarting>},
    {"exited: StartUnit -> starting", row<S::kExited, event::StartUnit, S::kStarting>},
    {"failed: StartUnit -> starting", row<S::kFailed, event::StartUnit, S::kStarting>},
    {"failed: StartUnit refused", row<S::kFailed, event::StartUnit, S::kFailed>},
    {"skipped: StartUnit refused", row<S::kSkipped, event::StartUnit, S::kSkipped>},
    {"failed: Exited of a leftover", row<S::kFailed, event::Exited, S::kFailed>},
    {"up: Reload -> stopping", [](T t) { return up(t.from) && t.is<event::Reload>() && t.to == S::kStopping; }},
    {"up: Reload, not yet its turn or unchanged",
     [](T t) { return up(t.from) && t.is<event::Reload>() && t.to == t.from; }},
    {"waiting, backoff: Reload, others have to end first -> inactive",
     [](T t) {
       return (t.from == S::kWaiting || t.from == S::kBackoff) && t.is<event::Reload>() && t.to == S::kInactive;
     }},
    {"backoff: Reload, changed -> starting",
     [](T t) { return t.from == S::kBackoff && t.is<event::Reload>() && t.to == S::kStarting; }},
    {"backoff: Reload, unchanged -> backoff",
     [](T t) { return t.from == S::kBackoff && t.is<event::Reload>() && t.to == t.from; }},
    {"exited: Reload, changed -> starting",
     [](T t) { return t.from == S::kExited && t.is<event::Reload>() && t.to == S::kStarting; }},
    {"failed: Reload, changed -> starting",
     [](T t) { return t.from == S::kFailed && t.is<event::Reload>() && t.to == S::kStarting; }},
    {"skipped: Reload, may start after all -> waiting or starting",
     [](T t) {
       return t.from == S::kSkipped && t.is<event::Reload>() && (t.to == S::kWaiting || t.to == S::kStarting);
     }},
    {"inactive: Reload, added, enabled or back -> starting",
     [](T t) { return t.from == S::kInactive && t.is<event::Reload>() && t.to == S::kStarting; }},
    {"leaving: the last one ended -> starting",
     [](T t) { return t.from == S::kInactive && !t.own && t.is<event::Exited>() && t.to == S::kStarting; }},
    {"final: StopUnit, SignalUnit refused",
     [](T t) {
       return engine::is_final(t.from) && t.own && (t.is<event::StopUnit>() || t.is<event::SignalUnit>()) &&
              t.to == t.from;
     }},
};

}  // namespace

Coverage::Coverage() : hits_(std::size(kRows), 0) {}

void Coverage::count(UnitState from, const Event& event, bool concerns_unit, UnitState to) {
  const Transition transition{from, event, concerns_unit, to};
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (kRows[i].matches(transition)) ++hits_[i];
  }
}

std::string Coverage::table() const {
  std::string text;
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    char line[128];
    std::snprintf(line, sizeof line, "%9llu  %s\n", static_cast<unsigned long long>(hits_[i]), kRows[i].text);
    text += line;
  }
  return text;
}

std::string Coverage::missing() const {
  std::string text;
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    if (hits_[i] == 0) text += std::string(kRows[i].text) + "\n";
  }
  return text;
}

}  // namespace slipway::simulation
