#pragma once
// From what was loaded to what the supervisor runs: the database is resolved, its variables are exported, the plan is
// built.

#include <string>
#include <vector>

#include "config/error.hpp"
#include "config/loader.hpp"
#include "supervisor/setup.hpp"

namespace slipway::program {

/// `command` is what follows `run --`. `request` is what was loaded, with the container's own variables. May create the
/// generated password of a local database (database::resolve).
[[nodiscard]] Result<supervisor::Setup> make_setup(config::Loaded loaded, std::vector<std::string> command,
                                                   config::LoadRequest request);

}  // namespace slipway::program
