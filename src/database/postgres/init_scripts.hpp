#pragma once
// The first initialisation's scripts, with the official image's conventions: every file of the directory in name
// order; .sql, .sql.gz, .sql.xz and .sql.zst go through psql, .sh is executed, or sourced when it is not executable.

#include <string>
#include <vector>

#include "database/postgres/child.hpp"
#include "database/postgres/superuser.hpp"

namespace slipway::database::postgres {

enum class ScriptKind { kSql, kGzip, kXz, kZstd, kExecutable, kSourced, kIgnored };

struct InitScript {
  std::string path;
  ScriptKind kind = ScriptKind::kIgnored;
};

/// Sorted by name, byte by byte; hidden files and directories are no scripts. An absent directory has none.
/// Errors: 73 when the directory cannot be read.
[[nodiscard]] Result<std::vector<InitScript>> find_init_scripts(const std::string& directory);

struct ScriptContext {
  Administration administration;
  std::string role;      ///< connects as this one; $POSTGRES_USER and $PGUSER
  std::string database;  ///< $POSTGRES_DB and $PGDATABASE
  std::string data_dir;
  std::string bin_dir;  ///< first in PATH
  OsIdentity identity;
  config::StringMap variables;
};

/// Stops at the first failure. Errors: 73 names the script and its last words.
[[nodiscard]] Result<void> run_init_scripts(const std::vector<InitScript>& scripts, const ScriptContext& context,
                                            const Report& report);

}  // namespace slipway::database::postgres
