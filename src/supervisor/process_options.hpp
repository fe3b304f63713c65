#pragma once
// The limits and privileges of a unit, from the names of the configuration to the numbers of the kernel. Pure.

#include "engine/plan.hpp"
#include "host/launcher.hpp"

namespace slipway::supervisor {

/// Fills the launch's limits, priority, capabilities and the like. Names were checked when they were loaded.
void apply_process_options(const engine::LaunchSpec& from, host::Launch& launch);

}  // namespace slipway::supervisor
