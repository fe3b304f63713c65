#pragma once
// The boot as it would be, for check, plan and graph: everything is read, nothing is written or started.

#include <string>
#include <vector>

#include "config/error.hpp"
#include "config/loader.hpp"
#include "engine/plan.hpp"

namespace slipway::program {

struct Inspection {
  config::Configuration configuration;
  std::string source;
  engine::Plan plan;
  std::vector<std::string> secrets;  ///< every text that must not be shown
};

/// Errors: every problem of the configuration, one per line; the database cannot be resolved; no plan can be built.
[[nodiscard]] Result<Inspection> inspect(const std::string& config);

/// Prints an inspection's failure line by line and returns its exit code.
int report_problems(const Error& error);

}  // namespace slipway::program
