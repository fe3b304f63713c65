#pragma once
// What a migration needs from the database it changes; one implementation per backend.

#include <memory>
#include <optional>
#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/report.hpp"
#include "database/resolve.hpp"
#include "host/accounts.hpp"

namespace slipway::database {

/// Borrowed by a target for its whole life.
struct MigrationInputs {
  const config::Configuration& configuration;
  const ResolvedDatabase& database;
  config::StringMap environment;  ///< what children start from, without the database's variables
  Report report;
};

class MigrationTarget {
 public:
  MigrationTarget() = default;
  virtual ~MigrationTarget() = default;
  MigrationTarget(const MigrationTarget&) = delete;
  MigrationTarget& operator=(const MigrationTarget&) = delete;

  /// Takes the migration lock; it is held until unlock() or destruction. Error 75 names the holder.
  [[nodiscard]] virtual Result<void> lock() = 0;
  /// A descriptor that keeps the lock while any process has it; -1: there is none.
  [[nodiscard]] virtual int lock_descriptor() const = 0;
  /// Error 75 when the lock was lost on the way.
  [[nodiscard]] virtual Result<void> check_lock() = 0;
  virtual void unlock() = 0;

  /// The path of the backup, or nothing when there was nothing to save. Error 76.
  [[nodiscard]] virtual Result<std::optional<std::string>> backup() = 0;
  /// Runs `prepare_sql` and what the tool needs before its first run. Error 79.
  [[nodiscard]] virtual Result<void> prepare() = 0;
  /// The tool's own record: Alembic's revisions, Django's last migration; empty when unknown.
  [[nodiscard]] virtual std::string schema_version() = 0;
};

[[nodiscard]] std::unique_ptr<MigrationTarget> sqlite_target(const MigrationInputs& inputs,
                                                             const host::Identity& identity);
[[nodiscard]] std::unique_ptr<MigrationTarget> postgres_target(const MigrationInputs& inputs);
/// Without a database: no lock, no backup.
[[nodiscard]] std::unique_ptr<MigrationTarget> no_target();

/// Reads the version on either backend; fails where the tool has made no table yet. Empty for a plain command.
[[nodiscard]] std::string schema_version_query(config::MigrationTool tool);

}  // namespace slipway::database
