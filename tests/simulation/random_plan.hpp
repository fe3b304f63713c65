#pragma once
// Plans nobody would write, and plans that configurations lead to.

#include "engine/plan.hpp"
#include "random.hpp"

namespace slipway::simulation {

/// Half of them are graphs drawn at random, half come from a random configuration through build_plan().
[[nodiscard]] engine::Plan random_plan(Random& random);
/// A local PostgreSQL, a migration and workers behind them.
[[nodiscard]] engine::Plan random_boot_plan(Random& random, bool full);

}  // namespace slipway::simulation
