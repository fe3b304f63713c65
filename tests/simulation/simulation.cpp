#include "simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "random_plan.hpp"
#include "world.hpp"

namespace slipway::simulation {
namespace {

using namespace std::chrono_literals;
using engine::Instant;
using engine::UnitId;

constexpr config::Duration kLateness = 20ms;
constexpr std::uint64_t kEventLimit = 100'000;  ///< a run that does not end by then never will
constexpr const char* kEventNames[] = {"Boot",           "Spawned",   "SpawnFailed",   "Exited",      "GroupGone",
                                       "HookFinished",   "Notified",  "ProbeFinished", "Tick",        "StopRequested",
                                       "SignalReceived", "StartUnit", "StopUnit",      "RestartUnit", "SignalUnit",
                                       "Reload",         "Notice",    "Paused",        "WallClock"};
constexpr const char* kCommandNames[] = {"Spawn",  "Signal",       "RunHook",     "SignalHook",
                                         "Probe",  "CancelProbes", "WriteMarker", "RemoveMarker",
                                         "Report", "Refuse",       "Finish",      "Replan"};

std::optional<UnitId> unit_of(const engine::Event& event) {
  return std::visit(
      [](const auto& specific) -> std::optional<UnitId> {
        if constexpr (requires { specific.unit; }) return specific.unit;
        return std::nullopt;
      },
      event);
}

class Run {
 public:
  Run(std::uint64_t seed, const RunOptions& options)
      : options_(options),
        random_(seed),
        plan_(options.boot_plan ? random_boot_plan(random_, true) : random_plan(random_)),
        engine_(plan_, seed),
        world_(plan_, random_, now_),
        oracle_(plan_, kLateness),
        states_(plan_.units.size(), engine::UnitState::kInactive) {}

  RunResult operator()() {
    step(engine::event::Boot{});
    while (!done()) {
      const config::Duration late = random_.chance(80) ? 0ms : random_.up_to(kLateness);
      const std::optional<Instant> due = engine_.next_deadline();
      if (due && *due + late <= world_.next()) {
        now_ = std::max(now_, *due + late);
        step(engine::event::Tick{});
      } else {
        now_ = std::max(now_, world_.next());
        if (const auto event = world_.take(now_)) step(*event);
      }
      if (result_.events > kEventLimit) result_.violation = Violation{4, "the container never ends"};
    }
    return result_;
  }

 private:
  [[nodiscard]] bool done() const { return oracle_.finished() || result_.violation.has_value(); }

  void step(const engine::Event& event) {
    engine::Commands commands = engine_.handle(event, now_);
    if (options_.mutation != nullptr) result_.mutated |= options_.mutation->corrupt(engine_, event, commands);
    ++result_.events;
    result_.commands += commands.size();
    for (const engine::Command& each : commands) {
      result_.fingerprint = result_.fingerprint * 1099511628211U + each.index() + 1;
    }
    if (options_.trace) trace(event, commands);
    if (options_.coverage != nullptr) cover(event);
    if (const auto& violation = oracle_.step(event, commands, now_)) result_.violation = violation;
    world_.perform(commands, now_);
    states_.resize(engine_.plan().units.size(), engine::UnitState::kInactive);
  }

  void cover(const engine::Event& event) {
    const std::optional<UnitId> named = unit_of(event);
    const bool everyone = !named || !std::holds_alternative<engine::event::ProbeFinished>(event);
    for (std::size_t i = 0; i < states_.size(); ++i) {
      const auto unit = static_cast<UnitId>(i);
      if (!everyone && named != unit) continue;
      const engine::UnitState to = engine_.view(unit).state;
      options_.coverage->count(std::exchange(states_[i], to), event, named == unit, to);
    }
  }

  void trace(const engine::Event& event, const engine::Commands& commands) const {
    const auto unit = unit_of(event);
    const auto name = [this](const std::optional<UnitId>& id) {
      const auto& units = engine_.plan().units;
      return id && engine::index(*id) < units.size() ? units[engine::index(*id)].name.c_str() : "";
    };
    const auto at = std::chrono::duration_cast<config::Duration>(now_.time_since_epoch()).count();
    std::printf("%8lld  %s %s\n", static_cast<long long>(at), kEventNames[event.index()], name(unit));
    for (const engine::Command& each : commands) {
      std::string text = kCommandNames[each.index()];
      std::visit(
          [&](const auto& specific) {
            if constexpr (requires { specific.unit; }) text += std::string(" ") + name(specific.unit);
            if constexpr (requires { specific.message; }) text += " " + specific.message;
            if constexpr (requires { specific.signal; }) text += " " + std::to_string(specific.signal);
            if constexpr (requires { specific.marker; }) text += std::string(" ") + to_string(specific.marker);
            if constexpr (requires { specific.exit_code; }) text += " " + std::to_string(specific.exit_code);
          },
          each);
      std::printf("            %s\n", text.c_str());
    }
  }

  RunOptions options_;
  Random random_;
  Instant now_ = Instant(1h);
  engine::Plan plan_;
  engine::Engine engine_;
  World world_;
  Oracle oracle_;
  std::vector<engine::UnitState> states_;
  RunResult result_;
};

}  // namespace

RunResult run(std::uint64_t seed, const RunOptions& options) { return Run(seed, options)(); }

}  // namespace slipway::simulation
