#pragma once
// Drives an Engine by hand under a clock of its own, and plays the host as far as a test needs one: pids are given
// out, commands are remembered and searched.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"

namespace slipway::engine {

using namespace std::chrono_literals;

inline UnitSpec service(std::string name) {
  UnitSpec spec;
  spec.name = spec.worker = std::move(name);
  spec.restart.jitter = 0;
  return spec;
}

inline UnitSpec oneshot(std::string name) {
  UnitSpec spec = service(std::move(name));
  spec.kind = UnitKind::kOneshot;
  return spec;
}

inline UnitSpec restarting(std::string name, config::Restart when = config::Restart::kOnFailure) {
  UnitSpec spec = service(std::move(name));
  spec.restart.when = when;
  return spec;
}

inline UnitSpec& depends(UnitSpec& spec, unsigned unit, config::Condition condition = config::Condition::kStarted,
                         bool required = true) {
  spec.dependencies.push_back({static_cast<UnitId>(unit), condition, required});
  return spec;
}

inline config::Readiness tcp_readiness() {
  config::Readiness ready;
  ready.tcp = config::TcpProbe{"127.0.0.1", 8000};
  return ready;
}

inline config::Readiness notify_readiness() {
  config::Readiness ready;
  ready.notify_fd = 3;
  return ready;
}

inline config::HealthCheck tcp_health(config::HealthAction action = config::HealthAction::kRestart) {
  config::HealthCheck check;
  check.tcp = config::TcpProbe{"127.0.0.1", 8000};
  check.interval = 10s;
  check.timeout = 2s;
  check.retries = 2;
  check.on_failure = action;
  return check;
}

inline ExitStatus exited(int code) { return {ExitStatus::Kind::kExited, code, {}}; }
inline ExitStatus signaled(int signal) { return {ExitStatus::Kind::kSignaled, signal, {}}; }

class Driver {
 public:
  explicit Driver(Plan plan) : engine(std::move(plan), 1) {}
  explicit Driver(std::vector<UnitSpec> units) : Driver(Plan{std::move(units), 120s, std::nullopt}) {}

  /// Sends one event; `last` holds what it led to, `all` everything so far.
  Driver& send(const Event& event) {
    last = engine.handle(event, now);
    all.insert(all.end(), last.begin(), last.end());
    return *this;
  }
  Driver& boot() { return send(event::Boot{}); }
  Driver& spawned(unsigned unit) { return send(event::Spawned{id(unit), next_pid++}); }
  Driver& exit(unsigned unit, ExitStatus status, bool group = false) {
    return send(event::Exited{id(unit), std::move(status), group});
  }
  Driver& group_gone(unsigned unit) { return send(event::GroupGone{id(unit)}); }
  Driver& stop(int signal = SIGTERM) { return send(event::StopRequested{signal, "test"}); }
  Driver& probe(unsigned unit, bool ok, ProbeKind kind = ProbeKind::kReadiness) {
    return send(event::ProbeFinished{id(unit), kind, ok, ok ? "" : "refused"});
  }
  Driver& wait(Duration duration) {
    now += duration;
    return send(event::Tick{});
  }
  /// To the engine's own next deadline, and not further.
  Driver& wait_for_deadline() {
    EXPECT_TRUE(engine.next_deadline().has_value());
    now = std::max(now, engine.next_deadline().value_or(now));
    return send(event::Tick{});
  }

  static UnitId id(unsigned unit) { return static_cast<UnitId>(unit); }
  [[nodiscard]] UnitState state(unsigned unit) const { return engine.view(id(unit)).state; }

  template <typename T, typename Match>
  static int count_if(const Commands& commands, Match match) {
    return static_cast<int>(std::count_if(commands.begin(), commands.end(), [&](const Command& command) {
      const T* found = std::get_if<T>(&command);
      return found != nullptr && match(*found);
    }));
  }
  [[nodiscard]] bool spawns(unsigned unit) const {
    return count_if<command::Spawn>(last, [&](const auto& spawn) { return spawn.unit == id(unit); }) == 1;
  }
  [[nodiscard]] bool signals(unsigned unit, int signal, bool group = true) const {
    return count_if<command::Signal>(last, [&](const auto& sent) {
             return sent.unit == id(unit) && sent.signal == signal && sent.group == group;
           }) == 1;
  }
  [[nodiscard]] bool signals_anything() const {
    return count_if<command::Signal>(last, [](const auto&) { return true; }) > 0;
  }
  [[nodiscard]] bool probes(unsigned unit, ProbeKind kind = ProbeKind::kReadiness) const {
    return count_if<command::Probe>(
               last, [&](const auto& probe) { return probe.unit == id(unit) && probe.kind == kind; }) == 1;
  }
  [[nodiscard]] bool writes(Marker marker) const {
    return count_if<command::WriteMarker>(last, [&](const auto& written) { return written.marker == marker; }) == 1;
  }
  [[nodiscard]] bool removes(Marker marker) const {
    return count_if<command::RemoveMarker>(last, [&](const auto& removed) { return removed.marker == marker; }) > 0;
  }
  [[nodiscard]] bool reports(EventName name) const {
    return count_if<command::Report>(last, [&](const auto& report) { return report.name == name; }) > 0;
  }
  [[nodiscard]] std::string refusal() const {
    for (const Command& command : last) {
      if (const auto* refuse = std::get_if<command::Refuse>(&command)) return refuse->reason;
    }
    return {};
  }
  /// The exit code the last event ended with; -1 when it did not end.
  [[nodiscard]] int finish() const {
    if (last.empty()) return -1;
    const auto* finish = std::get_if<command::Finish>(&last.back());
    return finish != nullptr ? finish->exit_code : -1;
  }

  Engine engine;
  Instant now = Instant(1h);
  Commands last;
  Commands all;
  int next_pid = 100;
};

}  // namespace slipway::engine
