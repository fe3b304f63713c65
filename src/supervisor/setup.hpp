#pragma once
// Everything that was decided before the first unit starts. Filled in by the program, constant afterwards.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "engine/plan.hpp"

namespace slipway::supervisor {

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
};

}  // namespace slipway::supervisor
