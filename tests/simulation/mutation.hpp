#pragma once
// Faulty engines, made by corrupting what a good one answers: each breaks one invariant, so that a checker that stays
// silent is shown to be worth nothing.

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace slipway::simulation {

class Mutation {
 public:
  Mutation() = default;
  Mutation(const Mutation&) = delete;
  Mutation& operator=(const Mutation&) = delete;
  virtual ~Mutation() = default;
  /// Changes what `engine` answered to `event`; true when it did something.
  virtual bool corrupt(const engine::Engine& engine, const engine::Event& event, engine::Commands& commands) = 0;
};

struct MutationCase {
  const char* name;
  int invariant;
  /// Whether the fault needs a plan with a database, a migration and workers.
  bool needs_boot_plan;
  std::unique_ptr<Mutation> (*make)();
};

[[nodiscard]] const std::vector<MutationCase>& mutation_cases();

}  // namespace slipway::simulation
