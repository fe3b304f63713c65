#pragma once
// From a configured path to an SQLite database that the application can use.

#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/report.hpp"
#include "host/accounts.hpp"

namespace slipway::database::sqlite {

/// Creates the directory (0770) and the file (0660) as `owner` where they are missing, checks what is there and sets
/// the journal mode. What is refused is left untouched. Safe to repeat and to run several times at once.
/// `busy_timeout` and `synchronous` belong to a connection, not to the file: they hold for Slipway's own connections
/// only, the application sets its own.
/// Errors: 73 not a plain file, not a database, corrupt, a network file system with WAL; 77 not readable or writable
/// by `owner`; 69 in use by another process when the journal mode had to change.
[[nodiscard]] Result<void> prepare(const std::string& path, const config::SqliteDatabase& settings,
                                   const host::Identity& owner, const Report& report);

}  // namespace slipway::database::sqlite
