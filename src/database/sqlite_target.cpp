#include <algorithm>
#include <fcntl.h>
#include <optional>
#include <unistd.h>
#include <utility>

#include "database/identity.hpp"
#include "database/migration_target.hpp"
#include "database/sqlite/backup.hpp"
#include "database/sqlite/connection.hpp"
#include "database/sqlite/file_lock.hpp"

namespace slipway::database {
namespace {

class SqliteTarget : public MigrationTarget {
 public:
  SqliteTarget(const MigrationInputs& inputs, host::Identity identity)
      : inputs_(inputs), path_(inputs.database.sqlite_path), identity_(std::move(identity)) {}

  Result<void> lock() override {
    // As the database's user, so that a later run by hand as that user can lock too.
    const ActingAs acting(identity_);
    auto lock = sqlite::FileLock::acquire(path_, inputs_.configuration.migrations.lock.timeout, inputs_.report);
    if (!lock) return tl::unexpected(lock.error());
    lock_.emplace(std::move(*lock));
    return {};
  }

  [[nodiscard]] int lock_descriptor() const override { return lock_ ? lock_->descriptor() : -1; }
  Result<void> check_lock() override { return {}; }
  void unlock() override { lock_.reset(); }

  Result<std::optional<std::string>> backup() override {
    const auto& settings = inputs_.configuration.backup;
    // A directory of the operator's choice may be one that only root can write. In any other root writes nothing, since
    // the database's user could lead it elsewhere.
    std::optional<ActingAs> acting(std::in_place, identity_);
    if (!settings.dir.empty() && ::faccessat(AT_FDCWD, settings.dir.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
      acting.reset();
    }
    return sqlite::backup_before_migration(path_, settings, timeout(), inputs_.report);
  }

  Result<void> prepare() override {
    const auto& statements = inputs_.configuration.migrations.prepare_sql;
    if (statements.empty()) return {};
    const ActingAs acting(identity_);
    auto connection = sqlite::Connection::open(path_, sqlite::Access::kReadWrite, timeout());
    if (!connection) return tl::unexpected(connection.error());
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (auto done = connection->execute(statements[i], ExitCode::kMigrationFailed); !done) {
        return failure(ExitCode::kMigrationFailed,
                       "migrations.prepare_sql[" + std::to_string(i) + "]: " + done.error().message);
      }
    }
    return {};
  }

  std::string schema_version() override {
    const std::string query = schema_version_query(inputs_.configuration.migrations.tool);
    if (query.empty()) return "";
    const ActingAs acting(identity_);
    auto connection = sqlite::Connection::open(path_, sqlite::Access::kReadWrite, timeout());
    if (!connection) return "";
    auto found = connection->query(query);
    if (!found) return "";
    std::replace(found->begin(), found->end(), '\n', ',');
    return *found;
  }

 private:
  [[nodiscard]] config::Duration timeout() const { return inputs_.configuration.database.sqlite.busy_timeout; }

  const MigrationInputs& inputs_;
  std::string path_;
  host::Identity identity_;
  std::optional<sqlite::FileLock> lock_;
};

}  // namespace

std::unique_ptr<MigrationTarget> sqlite_target(const MigrationInputs& inputs, const host::Identity& identity) {
  return std::make_unique<SqliteTarget>(inputs, identity);
}

}  // namespace slipway::database
