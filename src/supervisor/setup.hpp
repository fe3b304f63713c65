#pragma once
// Everything that was decided before the first unit starts. Filled in by the program; constant afterwards, except that
// a reload replaces what it may (reloader.hpp).

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/loader.hpp"
#include "engine/boot_plan.hpp"
#include "engine/plan.hpp"

namespace slipway::supervisor {

/// What the database gives to those who use it.
struct DatabaseExports {
  config::StringMap variables;
  std::vector<std::string> secrets;
};

struct Setup {
  config::Configuration configuration;
  engine::Plan plan;
  /// What workers start from.
  config::StringMap environment;
  /// What the built-in units start from: the container's own variables, so that they load the same configuration to
  /// the same result, and SLIPWAY_CONFIG with the file that was read.
  config::StringMap built_in_environment;
  std::vector<std::string> secrets;
  std::string config_source;  ///< empty: no configuration, a plain init
  std::string config_sha256;
  std::string boot_id;
  config::LoadRequest request;            ///< how the configuration was found, to find it again
  std::vector<std::string> main_command;  ///< what follows `run --`
  std::string database_program;
  std::string web_program;
  config::StringMap exports;  ///< the database's variables
  /// Those of another configuration, whose password is given and not in a file. Reads and writes nothing.
  std::function<Result<DatabaseExports>(const config::Configuration&)> exports_of;
  std::map<std::string, engine::LaunchInputs> launch_inputs;
};

/// The plan of this configuration with what else was decided; Setup::plan at the boot.
[[nodiscard]] inline Result<engine::Plan> build_plan(const Setup& setup) {
  return engine::build_plan({setup.configuration, setup.main_command, setup.database_program, setup.web_program,
                             setup.exports, setup.launch_inputs});
}

}  // namespace slipway::supervisor
