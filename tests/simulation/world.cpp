#include "world.hpp"

#include <csignal>
#include <utility>

#include "random_plan.hpp"

namespace slipway::simulation {

using namespace std::chrono_literals;
using engine::Event;
using engine::ExitStatus;
using engine::Instant;
using engine::UnitId;
namespace event = engine::event;
namespace command = engine::command;

World::World(const engine::Plan& plan, Random& random, Instant start)
    : plan_(plan), random_(random), processes_(plan.units.size()), trouble_(random.pick({2U, 10U, 40U})) {
  schedule(start + random_.up_to(1s), Kind::kPeople, 0, 0);
  schedule(start + random_.up_to(random_.pick<config::Duration>({100ms, 2s, 20s, 120s})), Kind::kStop, 0, 0);
}

void World::schedule(Instant at, Kind kind, std::size_t unit, std::uint64_t serial, ExitStatus status) {
  occurrences_.push({at, ++serial_, kind, unit, serial, std::move(status)});
}

void World::perform(const engine::Commands& commands, Instant now) {
  for (const engine::Command& each : commands) {
    if (const auto* spawn = std::get_if<command::Spawn>(&each)) {
      Process& process = processes_[engine::index(spawn->unit)];
      process = Process{};  // an engine that is right has no hook running now
      process.serial = ++serial_;
      process.pending = true;
      schedule(random_.chance(80) ? now : now + random_.up_to(30ms), Kind::kSpawnAnswer, engine::index(spawn->unit),
               process.serial);
    } else if (const auto* sent = std::get_if<command::Signal>(&each)) {
      signal(*sent, now);
    } else if (const auto* hook = std::get_if<command::RunHook>(&each)) {
      run_hook(engine::index(hook->unit), now);
    } else if (const auto* ends = std::get_if<command::SignalHook>(&each)) {
      signal_hook(*ends, now);
    } else if (const auto* probe = std::get_if<command::Probe>(&each)) {
      Process& process = processes_[engine::index(probe->unit)];
      process.probe = ++serial_;
      process.probe_kind = probe->kind;
      if (random_.chance(trouble_ / 8)) continue;  // no answer, ever
      const auto takes = random_.chance(90) ? random_.up_to(20ms) : random_.up_to(probe->timeout + 2s);
      schedule(now + takes, Kind::kProbeAnswer, engine::index(probe->unit), process.probe);
    } else if (const auto* another = std::get_if<command::Replan>(&each)) {
      replan(another->plan);
    } else if (const auto* cancel = std::get_if<command::CancelProbes>(&each)) {
      processes_[engine::index(cancel->unit)].probe = 0;
    }
  }
}

void World::replan(const engine::Plan& plan) {
  plan_ = plan;
  processes_.resize(plan.units.size());
}

void World::signal(const command::Signal& signal, Instant now) {
  const std::size_t unit = engine::index(signal.unit);
  const Process& process = processes_[unit];
  const bool kill = signal.signal == SIGKILL;
  if (process.immortal) {  // until whatever it hangs in lets it go, which may be too late
    const ExitStatus killed{ExitStatus::Kind::kSignaled, SIGKILL, {}};
    if (kill) schedule(now + random_.up_to(12s), Kind::kMainEnds, unit, process.serial, killed);
    return;
  }
  if (process.alive && (kill || !process.deaf)) {
    const bool by_signal = kill || random_.chance(70);
    const ExitStatus status = by_signal ? ExitStatus{ExitStatus::Kind::kSignaled, signal.signal, {}}
                                        : ExitStatus{ExitStatus::Kind::kExited, random_.chance(80) ? 0 : 3, {}};
    schedule(now + (kill ? random_.up_to(5ms) : random_.up_to(random_.pick<config::Duration>({2ms, 200ms, 5s}))),
             Kind::kMainEnds, unit, process.serial, status);
  }
  if (process.others && signal.group && (kill || random_.chance(60))) {
    schedule(now + random_.up_to(kill ? config::Duration(5) : config::Duration(500)), Kind::kGroupEnds, unit,
             process.serial);
  }
}

void World::run_hook(std::size_t unit, Instant now) {
  Process& process = processes_[unit];
  process.hook = ++serial_;
  process.hook_deaf = random_.chance(trouble_ / 2);
  process.hook_immortal = random_.chance(trouble_ / 8);
  if (process.hook_immortal || random_.chance(trouble_ / 3)) return;  // hangs
  const auto takes = random_.up_to(random_.pick<config::Duration>({0ms, 20ms, 500ms, 5s}));
  schedule(now + takes, Kind::kHookEnds, unit, process.hook, random_status());
}

void World::signal_hook(const command::SignalHook& signal, Instant now) {
  const Process& process = processes_[engine::index(signal.unit)];
  const bool kill = signal.signal == SIGKILL;
  if (process.hook == 0 || (!kill && (process.hook_deaf || process.hook_immortal))) return;
  const auto takes =
      random_.up_to(process.hook_immortal ? config::Duration(12s) : config::Duration(kill ? 5ms : 700ms));
  schedule(now + takes, Kind::kHookEnds, engine::index(signal.unit), process.hook,
           {ExitStatus::Kind::kSignaled, signal.signal, {}});
}

std::optional<Event> World::take(Instant now) {
  const Occurrence occurrence = occurrences_.top();
  occurrences_.pop();
  return happen(occurrence, now);
}

std::optional<Event> World::happen(const Occurrence& occurrence, Instant now) {
  Process& process = processes_[occurrence.unit < processes_.size() ? occurrence.unit : 0];
  const auto unit = static_cast<UnitId>(occurrence.unit);
  const bool current = process.serial == occurrence.serial;
  switch (occurrence.kind) {
    case Kind::kSpawnAnswer:
      if (!current || !process.pending) return std::nullopt;
      return spawn_answer(occurrence.unit, now);
    case Kind::kMainEnds:
      if (!current || !std::exchange(process.alive, false)) return std::nullopt;
      return event::Exited{unit, occurrence.status, process.others};
    case Kind::kGroupEnds:
      if (!current || !std::exchange(process.others, false) || process.alive) return std::nullopt;
      return event::GroupGone{unit};
    case Kind::kNotifies:
      if (!current || !process.alive) return std::nullopt;
      return event::Notified{unit};
    case Kind::kSays:
      if (!current || !process.alive) return std::nullopt;
      return says(occurrence.unit, now);
    case Kind::kHookEnds:
      if (process.hook != occurrence.serial) return std::nullopt;
      process.hook = 0;
      return event::HookFinished{unit, occurrence.status};
    case Kind::kProbeAnswer: {
      if (process.probe != occurrence.serial) return std::nullopt;
      process.probe = 0;
      const bool ok = process.alive && random_.chance(process.healthy_percent);
      return event::ProbeFinished{unit, process.probe_kind, ok, ok ? "" : "refused"};
    }
    case Kind::kPeople:
      schedule(now + random_.up_to(random_.pick<config::Duration>({50ms, 3s, 3s})), Kind::kPeople, 0, 0);
      return people(now);
    case Kind::kStop:
      schedule(now + random_.up_to(300s), Kind::kStop, 0, 0);
      return event::StopRequested{random_.pick({SIGTERM, SIGINT, SIGQUIT, 0}), "random"};
  }
  return std::nullopt;
}

Event World::spawn_answer(std::size_t unit, Instant now) {
  Process& process = processes_[unit];
  process.pending = false;
  if (random_.chance(trouble_ / 4)) {
    return event::SpawnFailed{static_cast<UnitId>(unit), "execve: not today", random_.chance(60)};
  }
  process.alive = true;
  begin_life(unit, now);
  return event::Spawned{static_cast<UnitId>(unit), next_pid_++};
}

void World::begin_life(std::size_t unit, Instant now) {
  Process& process = processes_[unit];
  process.others = random_.chance(20);
  process.deaf = random_.chance(trouble_ / 2);
  process.immortal = random_.chance(trouble_ / 5);
  process.healthy_percent = random_.chance(trouble_) ? random_.below(100) : 100;
  if (random_.chance(70)) schedule(now + random_.up_to(700ms), Kind::kNotifies, unit, process.serial);
  if (plan_.units[unit].watchdog.count() > 0 || random_.chance(8)) {
    schedule(now + random_.up_to(200ms), Kind::kSays, unit, process.serial);
  }
  const bool ends = oneshot(unit) ? random_.chance(95) : random_.chance(trouble_);
  if (ends) {
    const auto lives = random_.up_to(random_.pick<config::Duration>({0ms, 10ms, 500ms, 20s, 80s}));
    schedule(now + lives, Kind::kMainEnds, unit, process.serial, random_status());
  }
  if (process.others && random_.chance(50)) {
    schedule(now + random_.up_to(30s), Kind::kGroupEnds, unit, process.serial);
  }
}

ExitStatus World::random_status() {
  if (!random_.chance(trouble_ + 10)) return {ExitStatus::Kind::kExited, 0, {}};
  if (random_.chance(25)) return {ExitStatus::Kind::kSignaled, random_.pick({SIGSEGV, SIGKILL, SIGTERM}), {}};
  return {ExitStatus::Kind::kExited, random_.pick({0, 1, 3, 69, 75, 79, 143, 255}), {}};
}

/// Most say that they live, often enough; some forget to, and some say other things.
Event World::says(std::size_t unit, Instant now) {
  const auto id = static_cast<UnitId>(unit);
  const config::Duration interval =
      plan_.units[unit].watchdog.count() > 0 ? plan_.units[unit].watchdog : config::Duration(2s);
  const auto pause = random_.chance(95) ? interval / 2 : random_.up_to(3 * interval);
  schedule(now + pause, Kind::kSays, unit, processes_[unit].serial);
  if (random_.chance(85)) return event::Notice{id, engine::NoticeKind::kAlive, {}, {}};
  const auto kind = random_.pick({engine::NoticeKind::kReady, engine::NoticeKind::kReady, engine::NoticeKind::kStatus,
                                  engine::NoticeKind::kReloading, engine::NoticeKind::kExtendTimeout,
                                  engine::NoticeKind::kExtendTimeout, engine::NoticeKind::kWatchdogInterval});
  if (random_.chance(trouble_ / 2)) {
    return event::Notice{id, random_.pick({engine::NoticeKind::kStopping, engine::NoticeKind::kTrigger}), {}, {}};
  }
  return event::Notice{id, kind, random_.pick<config::Duration>({0ms, 10ms, 1s, 70s}), "busy"};
}

/// An operator, a signal, a stray answer, or a needless Tick.
Event World::people(Instant) {
  const auto unit = static_cast<UnitId>(random_.below(static_cast<unsigned>(processes_.size()) + 1));
  switch (random_.below(14)) {
    case 0:
    case 1:
      return event::StartUnit{unit};
    case 2:
      return event::StopUnit{unit};
    case 3:
    case 4:
      return event::RestartUnit{unit};
    case 5:
      return event::SignalUnit{unit, random_.pick({SIGHUP, SIGTERM, SIGKILL, 0, 65})};
    case 6:
      return event::SignalReceived{random_.pick({SIGHUP, SIGUSR1, SIGUSR2})};
    case 7:
      return event::Notified{unit};
    case 12:
      return event::Paused{random_.pick<config::Duration>({0ms, 2s, 100s})};
    case 11:
      return event::Notice{
          unit,
          random_.pick({engine::NoticeKind::kReady, engine::NoticeKind::kStopping, engine::NoticeKind::kExtendTimeout}),
          1s,
          {}};
    case 8:
      return event::GroupGone{static_cast<UnitId>(processes_.size())};
    case 9:
      return event::Reload{random_successor(random_, plan_)};
    default:
      return event::Tick{};
  }
}

}  // namespace slipway::simulation
