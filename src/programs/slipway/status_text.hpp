#pragma once
// What `slipway status` prints. Pure, but for the time it counts from.

#include <chrono>
#include <string>

#include "control/snapshot.hpp"
#include "programs/slipway/terminal.hpp"

namespace slipway::program {

[[nodiscard]] std::string status_text(const control::Snapshot& snapshot, const Terminal& terminal,
                                      std::chrono::system_clock::time_point now = std::chrono::system_clock::now());

}  // namespace slipway::program
