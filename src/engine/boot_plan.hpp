#pragma once
// From configuration to plan: the built-in units (initdb, postgres, database, migrate, http) and the user's workers
// become one graph. Pure: the same inputs always give the same plan.

#include <map>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

struct BootInputs {
  const config::Configuration& configuration;
  std::vector<std::string> main_command;        ///< what follows `run --`; empty: none
  std::string database_program = "slipway-db";  ///< argv[0] of the database units
  std::string web_program = "slipway-web";
  config::StringMap exports;  ///< the database's variables, for the migration and every worker
  std::map<std::string, LaunchInputs> launch_inputs{};  ///< by worker: what its processes read
};

/// Fails when the graph cannot be built: a cycle, an unknown dependency, a name taken by a built-in unit.
[[nodiscard]] Result<Plan> build_plan(const BootInputs& inputs);

}  // namespace slipway::engine
