#pragma once
// What `slipway reload` and `slipway scale` have in common: both ask for another plan and say what it changes.

#include <CLI/CLI.hpp>
#include <string>

#include "control/protocol.hpp"
#include "programs/slipway/target.hpp"

namespace slipway::program {

struct ReplanOptions {
  Target target;
  std::string timeout;
  bool no_wait = false;
  bool json = false;
};

void add_replan_options(CLI::App& command, ReplanOptions& options);

/// Sends the request, prints what changes (or would) and returns the exit code. `command` names us in errors.
[[nodiscard]] int replan(const std::string& command, control::Request request, const ReplanOptions& options);

}  // namespace slipway::program
