#pragma once
// A host made of numbers: processes that start or do not, become ready, exit, crash, ignore signals, leave others of
// their group behind or cannot be killed at all; probes that answer late or never; and people who send commands and
// signals at any time. It keeps the engine's contract (messages.hpp) and nothing beyond it.

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "engine/engine.hpp"
#include "random.hpp"

namespace slipway::simulation {

class World {
 public:
  World(const engine::Plan& plan, Random& random, engine::Instant start);

  void perform(const engine::Commands& commands, engine::Instant now);
  /// When something happens next by itself. People are never idle, so there is always something.
  [[nodiscard]] engine::Instant next() const { return occurrences_.top().at; }
  /// What happens then; nothing when it became irrelevant (the process is gone, the probe was cancelled).
  [[nodiscard]] std::optional<engine::Event> take(engine::Instant now);

 private:
  enum class Kind { kSpawnAnswer, kMainEnds, kGroupEnds, kNotifies, kSays, kHookEnds, kProbeAnswer, kPeople, kStop };
  struct Occurrence {
    engine::Instant at;
    std::uint64_t number = 0;
    Kind kind{};
    std::size_t unit = 0;
    std::uint64_t serial = 0;  ///< of the process or probe it belongs to
    engine::ExitStatus status;
    bool operator<(const Occurrence& other) const { return at != other.at ? at > other.at : number > other.number; }
  };
  struct Process {
    std::uint64_t serial = 0;  ///< 0: never spawned
    std::uint64_t probe = 0;   ///< 0: none in flight
    engine::ProbeKind probe_kind{};
    std::uint64_t hook = 0;  ///< 0: none lives
    bool hook_deaf = false;
    bool hook_immortal = false;
    bool pending = false;
    bool alive = false;
    bool others = false;  ///< more processes in its group
    bool deaf = false;    ///< ignores everything but KILL
    bool immortal = false;
    unsigned healthy_percent = 100;
  };

  void schedule(engine::Instant at, Kind kind, std::size_t unit, std::uint64_t serial, engine::ExitStatus status = {});
  void signal(const engine::command::Signal& signal, engine::Instant now);
  void run_hook(std::size_t unit, engine::Instant now);
  void signal_hook(const engine::command::SignalHook& signal, engine::Instant now);
  [[nodiscard]] engine::Event spawn_answer(std::size_t unit, engine::Instant now);
  void begin_life(std::size_t unit, engine::Instant now);
  [[nodiscard]] std::optional<engine::Event> happen(const Occurrence& occurrence, engine::Instant now);
  void replan(const engine::Plan& plan);
  [[nodiscard]] bool oneshot(std::size_t unit) const { return plan_.units[unit].kind == engine::UnitKind::kOneshot; }
  [[nodiscard]] engine::Event says(std::size_t unit, engine::Instant now);
  [[nodiscard]] engine::Event people(engine::Instant now);
  [[nodiscard]] engine::ExitStatus random_status();

  engine::Plan plan_;
  Random& random_;
  std::vector<Process> processes_;
  std::priority_queue<Occurrence> occurrences_;
  std::uint64_t serial_ = 0;
  unsigned trouble_ = 0;  ///< how much goes wrong in this world, in percent
  int next_pid_ = 2;
};

}  // namespace slipway::simulation
