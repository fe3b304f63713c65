#pragma once
// How an operator names units: `web[1]` is one instance, `web` is every replica of that worker.

#include <string>
#include <vector>

#include "config/error.hpp"
#include "control/handler.hpp"

namespace slipway::control {

/// The indexes of the units these patterns mean, each once, in the plan's order.
/// Errors: a pattern that means nothing; the message offers the nearest name.
[[nodiscard]] Result<std::vector<std::size_t>> match_units(const Handler& handler,
                                                           const std::vector<std::string>& patterns);

}  // namespace slipway::control
