#include <csignal>

#include "database/identity.hpp"
#include "database/migrate.hpp"
#include "database/notify.hpp"
#include "database/postgres/cluster.hpp"
#include "database/postgres/prepare.hpp"
#include "database/sqlite/prepare.hpp"
#include "programs/slipway-db/commands.hpp"

namespace slipway::programs {
namespace {

using config::Backend;

Result<void> require_local(const Session& session, const char* command) {
  if (session.database().backend == Backend::kPostgres && session.database().local) return {};
  return failure(ExitCode::kUsage, std::string(command) +
                                       ": there is no server to run here: set database.backend to postgres and "
                                       "database.postgres.local to true");
}

Result<void> prepare_sqlite(const Session& session) {
  auto owner = database::migration_identity(session.configuration(), Backend::kSqlite);
  if (!owner) return tl::unexpected(owner.error());
  return database::sqlite::prepare(session.database().sqlite_path, session.configuration().database.sqlite, *owner,
                                   session.report());
}

}  // namespace

Result<void> initdb(const Session& session) {
  if (auto local = require_local(session, "initdb"); !local) return local;
  return database::postgres::initialise_cluster(session.configuration(), session.database(), session.report());
}

Result<void> server(const Session& session) {
  if (auto local = require_local(session, "server"); !local) return local;
  return database::postgres::run_server(session.configuration(), session.database(), session.report());
}

Result<void> prepare(const Session& session) {
  switch (session.database().backend) {
    case Backend::kSqlite:
      return prepare_sqlite(session);
    case Backend::kPostgres:
      return database::postgres::prepare(session.configuration(), session.database(), session.report());
    case Backend::kNone:
      return {};
  }
  return {};
}

Result<void> migrate(const Session& session) {
  const database::MigrationInputs inputs{session.configuration(), session.database(), session.environment(),
                                         session.report()};
  auto result = database::migrate(inputs);
  if (!result) return tl::unexpected(result.error());
  if (result->interrupted != 0) {
    print_line("warning", "the migration was interrupted; the lock is released and nothing is left running");
    std::signal(result->interrupted, SIG_DFL);
    std::raise(result->interrupted);
  }
  const std::string version = result->schema_version.empty() ? "" : "; the schema is at " + result->schema_version;
  print_line("info", (result->applied ? "migrated" : "nothing to migrate") + session.redacted(version));
  database::notify_schema_version(result->schema_version);
  return {};
}

}  // namespace slipway::programs
