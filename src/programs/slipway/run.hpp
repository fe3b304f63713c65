#pragma once
// `slipway run`: boot and supervise. This is the ENTRYPOINT.

#include <string>
#include <vector>

namespace slipway::program {

struct RunOptions {
  std::string config;                ///< --config; empty: search as documented
  std::vector<std::string> command;  ///< what follows `--`, verbatim; empty: none
};

/// Call host::Signals::hold() first. Supervises until everything has ended, whatever is thrown, and returns the
/// container's exit code.
[[nodiscard]] int run_command(const RunOptions& options);

}  // namespace slipway::program
