#pragma once
// What the supervisor must know of a plan as a whole.

#include <string>
#include <vector>

#include "engine/plan.hpp"

namespace slipway::supervisor {

/// In the order of the plan.
[[nodiscard]] std::vector<std::string> unit_names(const engine::Plan& plan);
/// Some unit is due at a time of day, so that a clock that was set matters.
[[nodiscard]] bool knows_time_of_day(const engine::Plan& plan);
/// The descriptor for Slipway's own lines. Standard output belongs to the container's own command where there is one:
/// `run -- CMD` prints what CMD prints.
[[nodiscard]] int own_stream(const engine::Plan& plan);

}  // namespace slipway::supervisor
