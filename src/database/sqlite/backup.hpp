#pragma once
// The backup before a migration: a consistent copy through SQLite's online backup, rows still in the WAL included,
// while others may go on writing.

#include <optional>
#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/report.hpp"

namespace slipway::database::sqlite {

/// Writes one snapshot of `path` into `backup.dir`, else beside the database, reads it back, and only then gives it its
/// name (backup_names.hpp); mode and owner are the database's, and nothing else stays beside it. Then all but the
/// newest `backup.keep` are removed (0 keeps all). Returns the path, or nothing when there is no table to save.
/// Killed at any instant it leaves a whole backup or none under such a name. The caller holds the migration lock.
/// Errors: 76 with the reason (no space, damaged source, permissions) and what to do.
[[nodiscard]] Result<std::optional<std::string>> backup_before_migration(const std::string& path,
                                                                         const config::Backup& backup,
                                                                         config::Duration busy_timeout,
                                                                         const Report& report);

}  // namespace slipway::database::sqlite
