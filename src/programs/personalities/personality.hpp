#pragma once
// Invoked under the name of another init, slipway takes that program's flags and variables and does its job, so that a
// symlink replaces it. Neither a configuration nor a control socket is looked at.

#include <optional>

namespace slipway::program {

/// Runs as `tini` or `dumb-init` when that is the last part of argv[0], and returns the exit code. Empty for any other
/// name. May permute argv, as getopt(3) does.
[[nodiscard]] std::optional<int> run_personality(int argc, char** argv);

}  // namespace slipway::program
