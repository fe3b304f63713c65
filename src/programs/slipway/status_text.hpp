#pragma once
// What `slipway status` prints. Pure.

#include <string>

#include "control/snapshot.hpp"
#include "programs/slipway/terminal.hpp"

namespace slipway::program {

[[nodiscard]] std::string status_text(const control::Snapshot& snapshot, const Terminal& terminal);

}  // namespace slipway::program
