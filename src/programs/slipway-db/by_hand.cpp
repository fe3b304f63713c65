#include <algorithm>
#include <chrono>
#include <filesystem>

#include "database/identity.hpp"
#include "database/migration_target.hpp"
#include "database/postgres/connection.hpp"
#include "database/postgres/wait.hpp"
#include "database/sqlite/connection.hpp"
#include "programs/slipway-db/commands.hpp"

namespace slipway::programs {
namespace {

using config::Backend;

constexpr auto kStatusLimit = std::chrono::seconds(10);

const char* name_of(Backend backend) {
  if (backend == Backend::kSqlite) return "sqlite";
  return backend == Backend::kPostgres ? "postgres" : "none";
}

Result<std::unique_ptr<database::MigrationTarget>> target(const database::MigrationInputs& inputs) {
  if (inputs.database.backend == Backend::kPostgres) return database::postgres_target(inputs);
  if (inputs.database.backend == Backend::kNone) return database::no_target();
  auto identity = database::migration_identity(inputs.configuration, Backend::kSqlite);
  if (!identity) return tl::unexpected(identity.error());
  return database::sqlite_target(inputs, *identity);
}

database::MigrationInputs inputs_of(const Session& session) {
  return {session.configuration(), session.database(), session.environment(), session.report()};
}

Result<std::string> ask_sqlite(const Session& session) {
  const std::string& path = session.database().sqlite_path;
  const auto& settings = session.configuration().database.sqlite;
  if (!std::filesystem::exists(path)) {
    return failure(ExitCode::kDatabaseUnavailable, path + ": does not exist yet: run slipway-db prepare");
  }
  auto connection =
      database::sqlite::Connection::open(path, database::sqlite::Access::kReadOnly, settings.busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  auto mode = connection->query("PRAGMA journal_mode", ExitCode::kDatabaseUnavailable);
  if (!mode) return mode;
  return "file: " + path + "\njournal_mode: " + *mode;
}

Result<std::string> ask_postgres(const Session& session) {
  const auto parameters = database::postgres::application_parameters(session.database());
  auto connection = database::postgres::Connection::open(parameters, database::postgres::Clock::now() + kStatusLimit);
  if (!connection) return tl::unexpected(connection.error().error);
  auto version = connection->query("SHOW server_version", {}, ExitCode::kDatabaseUnavailable);
  if (!version) return tl::unexpected(version.error());
  return "server: " + database::postgres::describe(parameters) + "\nversion: " + version->value();
}

}  // namespace

Result<void> wait(const Session& session) {
  if (session.database().backend == Backend::kSqlite) return ask_sqlite(session).map([](auto&&) {});
  if (session.database().backend == Backend::kNone) return {};
  return database::postgres::wait_until_ready(database::postgres::application_parameters(session.database()),
                                              session.configuration().database.postgres.wait, session.report())
      .map([](auto&&) {});
}

Result<void> status(const Session& session) {
  print_result(std::string("backend: ") + name_of(session.database().backend));
  if (session.database().backend == Backend::kNone) return {};
  auto answer = session.database().backend == Backend::kSqlite ? ask_sqlite(session) : ask_postgres(session);
  if (!answer) return tl::unexpected(answer.error());
  print_result(session.redacted(*answer));
  const auto inputs = inputs_of(session);
  auto asked = target(inputs);
  if (!asked) return tl::unexpected(asked.error());
  const std::string version = (*asked)->schema_version();
  print_result("schema_version: " + (version.empty() ? "unknown" : version));
  return {};
}

Result<void> backup(const Session& session) {
  const auto inputs = inputs_of(session);
  auto source = target(inputs);
  if (!source) return tl::unexpected(source.error());
  // Under the lock, because a backup removes what interrupted ones left behind.
  if (auto locked = (*source)->lock(); !locked) return locked;
  auto path = (*source)->backup();
  if (!path) return tl::unexpected(path.error());
  print_result(*path ? **path : "there is nothing to save yet");
  return {};
}

Result<void> url(const Session& session, bool show_password) {
  if (session.database().backend == Backend::kNone) {
    return failure(ExitCode::kConfiguration, "database.backend: there is no database: set it to sqlite or postgres");
  }
  auto shown = session.database();
  if (!show_password && !shown.password.empty()) shown.password = config::Secret("***");
  std::string text = database::exported_value({}, shown);
  // Encoded like any password; asterisks are what people look for.
  if (const auto at = text.find("%2A%2A%2A"); !show_password && at != std::string::npos) text.replace(at, 9, "***");
  print_result(show_password ? text : session.redacted(text));
  return {};
}

}  // namespace slipway::programs
