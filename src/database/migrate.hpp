#pragma once
// The migration: check, lock, check again, back up, prepare, run, verify. Any number of replicas may run it at once on
// one database; each migration is applied once, and those with nothing to do pass without locking.

#include <string>

#include "config/error.hpp"
#include "database/migration_target.hpp"

namespace slipway::database {

struct MigrationResult {
  bool applied = false;  ///< false: nothing was pending
  std::string schema_version;
  std::string backup;   ///< path; empty when none was made
  int interrupted = 0;  ///< the signal that ended it; 0: it came to its end
};

/// The children run as migrations.user in working_dir, with `inputs.environment`, the database's variables and
/// migrations.environment, in this order. The lock is released on return.
/// Errors: 79 with the step, how it ended and its last words; 75, 76, 77, 78 as the parts say.
[[nodiscard]] Result<MigrationResult> migrate(const MigrationInputs& inputs);

}  // namespace slipway::database
