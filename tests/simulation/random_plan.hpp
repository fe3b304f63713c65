#pragma once
// Plans nobody would write, and plans that configurations lead to.

#include "engine/plan.hpp"
#include "random.hpp"

namespace slipway::simulation {

/// Half of them are graphs drawn at random, half come from a random configuration through build_plan().
[[nodiscard]] engine::Plan random_plan(Random& random);
/// What somebody might replace `running` by: a few units changed, taken away, added or renumbered, or another graph
/// altogether. A fresh plan, dependencies first, without free slots.
[[nodiscard]] engine::Plan random_successor(Random& random, const engine::Plan& running);
/// A local PostgreSQL, a migration and workers behind them.
[[nodiscard]] engine::Plan random_boot_plan(Random& random, bool full);

}  // namespace slipway::simulation
