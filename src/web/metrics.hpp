#pragma once
// A snapshot in Prometheus' text format (version 0.0.4). Pure.

#include <string>

#include "control/snapshot.hpp"

namespace slipway::web {

[[nodiscard]] std::string metrics_text(const control::Snapshot& snapshot);

}  // namespace slipway::web
