#pragma once
// tini's command line and environment.

#include <bitset>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "config/configuration.hpp"
#include "programs/personalities/refusal.hpp"

namespace slipway::program {

struct TiniOptions {
  std::vector<std::string> command;
  bool subreaper = false;
  int parent_death_signal = 0;  ///< 0: none
  int verbosity = 1;            ///< 0 fatal, 1 warnings, 2 information, 3 and more: everything
  bool warn_on_reap = false;
  bool kill_process_group = false;
  std::bitset<256> to_zero;  ///< exit codes that become 0
};

/// Options may stand behind the program's name unless `--` ends them, as in the original. Prints getopt(3)'s own
/// complaints. `environment` gives TINI_SUBREAPER, TINI_VERBOSITY and TINI_KILL_PROCESS_GROUP.
[[nodiscard]] tl::expected<TiniOptions, Refusal> parse_tini(int argc, char** argv,
                                                            const config::StringMap& environment);

}  // namespace slipway::program
