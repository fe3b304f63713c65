#include <algorithm>
#include <chrono>
#include <optional>

#include "database/libpq_text.hpp"
#include "database/migration_target.hpp"
#include "database/postgres/advisory_lock.hpp"
#include "database/postgres/backup.hpp"
#include "database/postgres/connection.hpp"

namespace slipway::database {
namespace {

constexpr auto kConnectLimit = std::chrono::seconds(30);

// Alembic itself makes the column VARCHAR(32), which only PostgreSQL enforces: a longer revision id fails half-way.
constexpr auto kCreateVersionTable =
    "CREATE TABLE alembic_version (version_num VARCHAR(255) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))";
constexpr auto kWidenVersionTable = "ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(255)";
// The tool keeps its versions elsewhere (version_table in env.py). The lock keeps a row from slipping in between.
constexpr auto kDropUnusedVersionTable =
    "DO $$ BEGIN SET LOCAL lock_timeout = '5s'; LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE; "
    "IF NOT EXISTS (SELECT FROM alembic_version) THEN DROP TABLE alembic_version; END IF; END $$";
// The declared length; 0 for TEXT; no row without the table. Only the first schema of the search_path counts.
constexpr auto kVersionLength =
    "SELECT greatest(a.atttypmod - 4, 0) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relname = 'alembic_version' AND n.nspname = current_schema() AND a.attname = 'version_num'";

class PostgresTarget : public MigrationTarget {
 public:
  explicit PostgresTarget(const MigrationInputs& inputs) : inputs_(inputs) {}

  Result<void> lock() override {
    auto lock =
        postgres::AdvisoryLock::acquire(inputs_.database, inputs_.configuration.migrations.lock, inputs_.report);
    if (!lock) return tl::unexpected(lock.error());
    lock_.emplace(std::move(*lock));
    return {};
  }

  [[nodiscard]] int lock_descriptor() const override { return lock_ ? lock_->descriptor() : -1; }
  Result<void> check_lock() override { return lock_ ? lock_->verify() : Result<void>{}; }
  void unlock() override {
    if (made_version_table_) drop_unused_version_table();
    lock_.reset();
  }

  Result<std::optional<std::string>> backup() override {
    return postgres::backup_before_migration(inputs_.configuration, inputs_.database, inputs_.report);
  }

  Result<void> prepare() override {
    const auto& migrations = inputs_.configuration.migrations;
    const bool alembic = migrations.tool == config::MigrationTool::kAlembic;
    if (migrations.prepare_sql.empty() && !alembic) return {};
    auto connection = connect();
    if (!connection) return tl::unexpected(connection.error());
    for (std::size_t i = 0; i < migrations.prepare_sql.size(); ++i) {
      if (auto done = connection->execute(migrations.prepare_sql[i], ExitCode::kMigrationFailed); !done) {
        return failure(done.error().code, "migrations.prepare_sql[" + std::to_string(i) + "]: " + done.error().message);
      }
    }
    return alembic ? prepare_version_table(*connection) : Result<void>{};
  }

  std::string schema_version() override {
    const std::string query = schema_version_query(inputs_.configuration.migrations.tool);
    if (query.empty()) return "";
    auto connection = connect();
    if (!connection) return "";
    auto found = connection->query(query);
    if (!found) return "";
    std::string result;
    for (const auto& row : found->rows) result += (result.empty() ? "" : ",") + row.at(0).value_or("");
    return result;
  }

 private:
  /// As the application and with its search_path.
  Result<postgres::Connection> connect() {
    auto connection = postgres::Connection::open(postgres::application_parameters(inputs_.database),
                                                 postgres::Clock::now() + kConnectLimit, inputs_.report);
    if (!connection) return tl::unexpected(connection.error().error);
    if (const auto path = search_path(inputs_.database); !path.empty()) {
      if (auto set = connection->execute("SET search_path TO " + path); !set) return tl::unexpected(set.error());
    }
    return std::move(*connection);
  }

  /// A courtesy: where it is not allowed, Alembic's own words say what is missing, if it matters at all.
  Result<void> prepare_version_table(postgres::Connection& connection) {
    auto length = connection.query(kVersionLength, {}, ExitCode::kMigrationFailed);
    if (!length) return tl::unexpected(length.error());
    Result<void> done;
    if (length->empty()) {
      done = connection.execute(kCreateVersionTable);
      made_version_table_ = done.has_value();
    } else if (const int declared = std::stoi("0" + length->value()); declared != 0 && declared < 255) {
      done = connection.execute(kWidenVersionTable);
    }
    if (!done) say(inputs_.report, "alembic_version stays as it is: " + done.error().message);
    return {};
  }

  /// Under the lock, and only what this run has made.
  void drop_unused_version_table() {
    made_version_table_ = false;
    if (!lock_ || !lock_->verify()) return;
    auto connection = connect();
    if (!connection) return;
    if (auto done = connection->execute(kDropUnusedVersionTable); !done) {
      say(inputs_.report, "an empty table alembic_version stays: " + done.error().message);
    }
  }

  const MigrationInputs& inputs_;
  std::optional<postgres::AdvisoryLock> lock_;
  bool made_version_table_ = false;
};

}  // namespace

std::unique_ptr<MigrationTarget> postgres_target(const MigrationInputs& inputs) {
  return std::make_unique<PostgresTarget>(inputs);
}

}  // namespace slipway::database
