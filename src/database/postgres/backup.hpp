#pragma once
// The backup before a migration: free space checked, pg_dump -Fc, read back as a whole by pg_restore, fsynced, then
// renamed into place.

#include <optional>
#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/report.hpp"
#include "database/resolve.hpp"

namespace slipway::database::postgres {

/// Writes `<name>.pre-migrate-%Y%m%dT%H%M%SZ.dump` (0600, UTC; `name` of the configuration, else the database's) into
/// `backup.dir`, else into `<state_dir>/backups`, and
/// keeps the newest `backup.keep` of them. Returns the path, or nothing when the database has no tables yet. The
/// password is in the child's environment only. The caller holds the migration lock.
/// Errors: 76 with the reason and what to do; nothing half-written stays under a final name.
[[nodiscard]] Result<std::optional<std::string>> backup_before_migration(const config::Configuration& configuration,
                                                                         const ResolvedDatabase& database,
                                                                         const Report& report);

}  // namespace slipway::database::postgres
