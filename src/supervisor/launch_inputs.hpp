#pragma once
// Digests of what the workers' processes read besides their own settings, so that a reload sees when it is different.

#include <map>
#include <string>

#include "config/loader.hpp"
#include "engine/plan.hpp"

namespace slipway::supervisor {

/// By worker. A file that cannot be read is a content of its own: the start of its worker will say what is wrong.
[[nodiscard]] std::map<std::string, engine::LaunchInputs> read_launch_inputs(const config::Loaded& loaded,
                                                                             const config::FileReader& read);

}  // namespace slipway::supervisor
