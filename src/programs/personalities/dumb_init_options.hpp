#pragma once
// dumb-init's command line and environment.

#include <array>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/configuration.hpp"
#include "programs/personalities/refusal.hpp"

namespace slipway::program {

/// The signals it knows: the standard ones, 1 to 31.
constexpr int kDumbInitSignals = 31;

struct DumbInitOptions {
  std::vector<std::string> command;
  bool own_session = true;  ///< the command leads a session, and signals go to all of its group
  bool debug = false;
  /// What is forwarded for each signal: itself, another, or 0 for nothing. Index 0 is unused.
  std::array<int, kDumbInitSignals + 1> rewrites{};
};

/// Prints getopt(3)'s own complaints. `environment` gives DUMB_INIT_DEBUG and DUMB_INIT_SETSID.
[[nodiscard]] tl::expected<DumbInitOptions, Refusal> parse_dumb_init(int argc, char** argv,
                                                                     const config::StringMap& environment);

}  // namespace slipway::program
