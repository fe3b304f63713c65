#pragma once
// Which running Slipway a command talks to.

#include <CLI/CLI.hpp>
#include <string>

#include "control/client.hpp"

namespace slipway::program {

struct Target {
  std::string socket;  ///< --socket; empty: what the configuration says, or the default
  std::string config;  ///< --config
};

void add_target_options(CLI::App& command, Target& target);

/// --socket, else control.socket of the configuration if one can be loaded, else the default.
[[nodiscard]] std::string socket_of(const Target& target);
[[nodiscard]] Result<control::Client> reach(const Target& target);

/// Prints `slipway COMMAND: message` for each of its lines and returns the exit code: 77 for permission, else 1.
int report_failure(const std::string& command, const Error& error);

}  // namespace slipway::program
