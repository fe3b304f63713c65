#include "mutation.hpp"

#include <algorithm>
#include <csignal>
#include <functional>
#include <utility>

namespace slipway::simulation {
namespace {

using engine::Command;
using engine::Commands;
using engine::Engine;
using engine::Event;
using engine::EventName;
using engine::Marker;
using engine::UnitId;
using engine::UnitState;
namespace event = engine::event;
namespace command = engine::command;

using Corrupt = bool (*)(const Engine&, const Event&, Commands&);

/// Corrupts once; afterwards the run goes on as it may.
template <Corrupt kCorrupt>
class Once : public Mutation {
 public:
  bool corrupt(const Engine& engine, const Event& event, Commands& commands) override {
    if (done_ || !kCorrupt(engine, event, commands)) return false;
    done_ = true;
    return true;
  }

 private:
  bool done_ = false;
};

template <typename T, typename Match>
auto find(Commands& commands, Match match) {
  return std::find_if(commands.begin(), commands.end(), [&](const Command& each) {
    const T* found = std::get_if<T>(&each);
    return found != nullptr && match(*found);
  });
}

template <typename T>
auto find(Commands& commands) {
  return find<T>(commands, [](const T&) { return true; });
}

auto find_report(Commands& commands, EventName name) {
  return find<command::Report>(commands, [&](const command::Report& report) { return report.name == name; });
}

bool starts_without_waiting(const Engine& engine, const Event&, Commands& commands) {
  for (std::size_t i = 0; i < engine.plan().units.size(); ++i) {
    const auto unit = static_cast<UnitId>(i);
    if (engine.view(unit).state != UnitState::kWaiting) continue;
    commands.emplace_back(command::Spawn{unit});
    return true;
  }
  return false;
}

bool starts_a_worker_beside_the_migration(const Engine& engine, const Event& event, Commands& commands) {
  const auto* spawned = std::get_if<event::Spawned>(&event);
  const auto& units = engine.plan().units;
  if (spawned == nullptr || engine.stopping() || units[engine::index(spawned->unit)].name != "migrate") return false;
  const auto worker = std::find_if(units.begin(), units.end(), [&](const auto& unit) {
    const bool waits = engine.view(static_cast<UnitId>(&unit - units.data())).state == UnitState::kWaiting;
    return !unit.built_in && !unit.removed && waits;
  });
  if (worker == units.end()) return false;
  if (engine.view(static_cast<UnitId>(worker - units.begin())).state != UnitState::kWaiting) return false;
  commands.emplace_back(command::Spawn{static_cast<UnitId>(worker - units.begin())});
  return true;
}

bool starts_twice(const Engine&, const Event&, Commands& commands) {
  const auto found = find<command::Spawn>(commands);
  if (found == commands.end()) return false;
  commands.push_back(*found);
  return true;
}

bool starts_beside_its_leftovers(const Engine& engine, const Event& event, Commands& commands) {
  const auto* exited = std::get_if<event::Exited>(&event);
  if (exited == nullptr || !exited->group_alive || engine.stopping()) return false;
  commands.emplace_back(command::Spawn{exited->unit});
  return true;
}

bool marks_before_the_migration_is_done(const Engine& engine, const Event& event, Commands& commands) {
  const auto* spawned = std::get_if<event::Spawned>(&event);
  if (spawned == nullptr || engine.plan().units[engine::index(spawned->unit)].name != "migrate") return false;
  commands.emplace_back(command::WriteMarker{Marker::kMigrateDone, spawned->unit, {}, 0});
  return true;
}

bool marks_a_failed_migration(const Engine& engine, const Event& event, Commands& commands) {
  const auto* exited = std::get_if<event::Exited>(&event);
  if (exited == nullptr || exited->status == engine::ExitStatus{}) return false;
  if (engine.plan().units[engine::index(exited->unit)].name != "migrate") return false;
  commands.insert(commands.begin(), command::WriteMarker{Marker::kMigrateDone, exited->unit, {}, 0});
  return true;
}

bool leaves_an_old_marker(const Engine&, const Event& event, Commands& commands) {
  if (!std::holds_alternative<event::Boot>(event)) return false;
  commands.erase(commands.begin());
  return true;
}

bool removes_markers_too_late(const Engine& engine, const Event& event, Commands& commands) {
  if (!std::holds_alternative<event::Boot>(event) || engine.finished()) return false;
  std::rotate(commands.begin(), commands.begin() + 1, commands.end());
  return true;
}

bool stays_ready_while_stopping(const Engine&, const Event&, Commands& commands) {
  const auto found =
      find<command::RemoveMarker>(commands, [](const auto& removed) { return removed.marker == Marker::kReady; });
  const auto stopping = find_report(commands, EventName::kContainerStopping);
  if (found == commands.end() || stopping == commands.end()) return false;
  commands.erase(found);
  return true;
}

bool swallows_a_stop_signal(const Engine& engine, const Event&, Commands& commands) {
  const auto found = find<command::Signal>(commands, [&](const auto& sent) { return sent.signal != SIGKILL; });
  if (found == commands.end() || find_report(commands, EventName::kUnitStopping) == commands.end()) return false;
  const UnitId unit = std::get<command::Signal>(*found).unit;
  if (engine.view(unit).state != UnitState::kStopping) return false;
  commands.erase(found);
  return true;
}

bool loses_a_unit_of_the_new_plan(const Engine&, const Event&, Commands& commands) {
  const auto found = find<command::Replan>(commands);
  if (found == commands.end()) return false;
  for (engine::UnitSpec& unit : std::get<command::Replan>(*found).plan.units) {
    if (!std::exchange(unit.removed, true)) return true;
  }
  return false;
}

bool keeps_an_old_definition(const Engine&, const Event& event, Commands& commands) {
  const auto found = find<command::Replan>(commands);
  if (found == commands.end() || !std::holds_alternative<event::Reload>(event)) return false;
  for (engine::UnitSpec& unit : std::get<command::Replan>(*found).plan.units) {
    if (unit.removed || unit.launch.argv.empty()) continue;
    unit.launch.argv.pop_back();
    return true;
  }
  return false;
}

bool forces_the_new_plan_too_early(const Engine& engine, const Event& event, Commands& commands) {
  const auto* exited = std::get_if<event::Exited>(&event);
  if (exited == nullptr || !engine.reloading()) return false;
  commands.emplace_back(command::Replan{engine.plan()});
  return true;
}

bool swallows_kill(const Engine&, const Event&, Commands& commands) {
  const auto found = find<command::Signal>(commands, [](const auto& sent) { return sent.signal == SIGKILL; });
  if (found == commands.end() || find_report(commands, EventName::kUnitKilled) == commands.end()) return false;
  commands.erase(found);
  return true;
}

bool hurries_a_stop(const Engine& engine, const Event&, Commands& commands) {
  const auto found = find<command::Signal>(commands, [&](const auto& sent) {
    const auto& spec = engine.plan().units[engine::index(sent.unit)];
    const bool waits = !spec.stop_sequence.empty() && spec.stop_sequence.front().wait.count() > 0;
    return sent.group && sent.signal != SIGKILL && waits && engine.view(sent.unit).state == UnitState::kStopping;
  });
  if (found == commands.end()) return false;
  const UnitId unit = std::get<command::Signal>(*found).unit;
  commands.emplace_back(command::Signal{unit, SIGKILL, true});
  return true;
}

bool aborts_what_lives(const Engine& engine, const Event& event, Commands& commands) {
  const auto* notice = std::get_if<event::Notice>(&event);
  if (notice == nullptr || notice->kind != engine::NoticeKind::kAlive || engine.stopping()) return false;
  if (engine.view(notice->unit).state != UnitState::kReady) return false;
  commands.emplace_back(command::Signal{notice->unit, SIGABRT, true});
  return true;
}

bool swallows_an_abort(const Engine&, const Event&, Commands& commands) {
  const auto found = find<command::Signal>(commands, [](const auto& sent) { return sent.signal == SIGABRT; });
  if (found == commands.end()) return false;
  commands.erase(found);
  return true;
}

/// A live unit with a live dependent, at the moment the container's stop begins.
bool stops_a_dependency_first(const Engine& engine, const Event& event, Commands& commands) {
  if (!std::holds_alternative<event::StopRequested>(event)) return false;
  if (find_report(commands, EventName::kContainerStopping) == commands.end()) return false;
  for (const engine::UnitSpec& spec : engine.plan().units) {
    const auto view = engine.view(static_cast<UnitId>(&spec - engine.plan().units.data()));
    if (view.pid == 0 || engine::is_final(view.state)) continue;
    for (const engine::UnitDependency& edge : spec.dependencies) {
      const auto on = engine.view(edge.unit);
      if (on.pid == 0 || on.state == UnitState::kStopping || engine::is_final(on.state)) continue;
      const auto& dependency = engine.plan().units[engine::index(edge.unit)];
      if (dependency.stop_sequence.empty()) continue;
      const bool group = dependency.kill_mode == config::KillMode::kGroup;
      commands.emplace_back(command::Signal{edge.unit, dependency.stop_sequence.front().signal.number, group});
      return true;
    }
  }
  return false;
}

bool starts_without_backoff(const Engine& engine, const Event&, Commands& commands) {
  const auto found = find<command::Report>(commands, [&](const auto& report) {
    if (report.name != EventName::kUnitBackoff || *report.delay < std::chrono::milliseconds(5)) return false;
    const auto& spec = engine.plan().units[engine::index(*report.unit)];
    if (spec.restart.jitter > 0.5 || spec.pre_start) return false;  // such a delay may be 0; a Spawn is not its start
    for (const auto& edge : spec.dependencies) {
      const bool oneshot = engine.plan().units[engine::index(edge.unit)].kind == engine::UnitKind::kOneshot;
      const bool completed = oneshot || edge.condition == config::Condition::kCompleted;
      if (engine.view(edge.unit).state != (completed ? UnitState::kExited : UnitState::kRunning)) return false;
    }
    return true;
  });
  if (found == commands.end() || engine.stopping()) return false;
  const UnitId unit = *std::get<command::Report>(*found).unit;
  commands.emplace_back(command::Spawn{unit});
  return true;
}

bool starts_what_was_given_up(const Engine& engine, const Event&, Commands& commands) {
  const auto found = find<command::Report>(commands, [&](const auto& report) {
    if (report.name != EventName::kUnitFailed || engine.view(*report.unit).pid != 0) return false;
    const auto& spec = engine.plan().units[engine::index(*report.unit)];
    const bool stuck = report.message.find("still live") != std::string::npos;
    return spec.dependencies.empty() && !spec.pre_start && !stuck;
  });
  if (found == commands.end() || engine.stopping()) return false;
  if (find_report(commands, EventName::kUnitLeftover) != commands.end()) return false;
  const UnitId unit = *std::get<command::Report>(*found).unit;
  commands.emplace_back(command::Spawn{unit});
  return true;
}

bool leaves_with_the_wrong_code(const Engine&, const Event&, Commands& commands) {
  if (commands.empty()) return false;
  auto* finish = std::get_if<command::Finish>(&commands.back());
  if (finish == nullptr) return false;
  finish->exit_code = finish->exit_code == 0 ? 1 : 0;
  return true;
}

bool leaves_its_children(const Engine& engine, const Event&, Commands& commands) {
  if (find_report(commands, EventName::kContainerStopping) == commands.end() || engine.finished()) return false;
  commands.emplace_back(command::Finish{0});
  return true;
}

bool never_leaves(const Engine&, const Event&, Commands& commands) {
  if (commands.empty() || !std::holds_alternative<command::Finish>(commands.back())) return false;
  commands.pop_back();
  return true;
}

bool starts_beside_its_pre_start(const Engine&, const Event&, Commands& commands) {
  const auto found =
      find<command::RunHook>(commands, [](const auto& hook) { return hook.kind == engine::HookKind::kPreStart; });
  if (found == commands.end()) return false;
  const UnitId unit = std::get<command::RunHook>(*found).unit;
  commands.emplace_back(command::Spawn{unit});
  return true;
}

bool forgets_post_stop(const Engine& engine, const Event&, Commands& commands) {
  const auto found =
      find<command::RunHook>(commands, [](const auto& hook) { return hook.kind == engine::HookKind::kPostStop; });
  if (found == commands.end() || engine.stopping()) return false;
  commands.erase(found);
  return true;
}

bool never_ends_a_hook(const Engine&, const Event&, Commands& commands) {
  const auto found = find<command::SignalHook>(commands);
  if (found == commands.end()) return false;
  commands.erase(found);
  return true;
}

/// Loses the Spawn with which a backoff ends.
class NeverStartsAgain : public Mutation {
 public:
  bool corrupt(const Engine& engine, const Event& event, Commands& commands) override {
    if (done_) return false;
    const bool tick = std::holds_alternative<event::Tick>(event);
    const auto found = find<command::Spawn>(commands, [&](const command::Spawn& spawn) {
      return waiting_ == spawn.unit && engine.plan().units[engine::index(spawn.unit)].restart.jitter == 0;
    });
    done_ = tick && found != commands.end();
    if (found != commands.end()) waiting_.reset();
    if (done_) commands.erase(found);
    const auto backoff = find_report(commands, EventName::kUnitBackoff);
    if (backoff != commands.end()) waiting_ = std::get<command::Report>(*backoff).unit;
    return done_;
  }

 private:
  std::optional<UnitId> waiting_;
  bool done_ = false;
};

template <Corrupt kCorrupt>
std::unique_ptr<Mutation> once() {
  return std::make_unique<Once<kCorrupt>>();
}

}  // namespace

const std::vector<MutationCase>& mutation_cases() {
  static const std::vector<MutationCase> kCases{
      {"StartsWithoutWaiting", 1, false, once<starts_without_waiting>},
      {"StartsAWorkerBesideTheMigration", 1, true, once<starts_a_worker_beside_the_migration>},
      {"StartsTwice", 2, false, once<starts_twice>},
      {"StartsBesideItsLeftovers", 2, false, once<starts_beside_its_leftovers>},
      {"MarksBeforeTheMigrationIsDone", 3, true, once<marks_before_the_migration_is_done>},
      {"MarksAFailedMigration", 3, true, once<marks_a_failed_migration>},
      {"LeavesAnOldMarker", 3, false, once<leaves_an_old_marker>},
      {"RemovesMarkersTooLate", 3, false, once<removes_markers_too_late>},
      {"StaysReadyWhileStopping", 3, false, once<stays_ready_while_stopping>},
      {"SwallowsAStopSignal", 4, false, once<swallows_a_stop_signal>},
      {"SwallowsKill", 4, false, once<swallows_kill>},
      {"HurriesAStop", 4, false, once<hurries_a_stop>},
      {"AbortsWhatLives", 4, false, once<aborts_what_lives>},
      {"SwallowsAnAbort", 4, false, once<swallows_an_abort>},
      {"StopsADependencyFirst", 5, false, once<stops_a_dependency_first>},
      {"StopsPostgresFirst", 5, true, once<stops_a_dependency_first>},
      {"StartsBesideItsPreStart", 2, false, once<starts_beside_its_pre_start>},
      {"ForgetsPostStop", 4, false, once<forgets_post_stop>},
      {"NeverEndsAHook", 4, false, once<never_ends_a_hook>},
      {"StartsWithoutBackoff", 6, false, once<starts_without_backoff>},
      {"StartsWhatWasGivenUp", 6, false, once<starts_what_was_given_up>},
      {"NeverStartsAgain", 6, false,
       []() -> std::unique_ptr<Mutation> { return std::make_unique<NeverStartsAgain>(); }},
      {"LeavesWithTheWrongCode", 7, false, once<leaves_with_the_wrong_code>},
      {"LeavesItsChildren", 7, false, once<leaves_its_children>},
      {"NeverLeaves", 7, false, once<never_leaves>},
      {"LosesAUnitOfTheNewPlan", 9, false, once<loses_a_unit_of_the_new_plan>},
      {"KeepsAnOldDefinition", 9, false, once<keeps_an_old_definition>},
      {"ForcesTheNewPlanTooEarly", 9, false, once<forces_the_new_plan_too_early>},
  };
  return kCases;
}

}  // namespace slipway::simulation
