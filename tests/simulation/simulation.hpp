#pragma once
// One run: a plan, an engine, a world and an oracle under a virtual clock, all of it from one seed.

#include <cstdint>
#include <optional>
#include <string>

#include "coverage.hpp"
#include "mutation.hpp"
#include "oracle.hpp"

namespace slipway::simulation {

struct RunResult {
  std::uint64_t events = 0;
  std::uint64_t commands = 0;
  std::uint64_t fingerprint = 0;  ///< of the commands: the same seed gives the same one
  bool mutated = false;
  std::optional<Violation> violation;
};

struct RunOptions {
  Coverage* coverage = nullptr;
  Mutation* mutation = nullptr;
  bool boot_plan = false;  ///< local PostgreSQL, migration and workers
  bool trace = false;      ///< print every event and command
};

[[nodiscard]] RunResult run(std::uint64_t seed, const RunOptions& options);

}  // namespace slipway::simulation
