#include "database/postgres/backup.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "database/backup_names.hpp"
#include "database/postgres/binaries.hpp"
#include "database/postgres/child.hpp"
#include "database/postgres/connection.hpp"
#include "database/postgres/data_directory.hpp"
#include "database/postgres/durable_file.hpp"
#include "database/postgres/wait.hpp"

namespace slipway::database::postgres {
namespace {

constexpr auto kSuffix = ".dump";
constexpr std::uint64_t kReserve = 1024UL * 1024;

tl::unexpected<Error> backup_failure(const std::string& message) {
  return failure(ExitCode::kBackupFailed,
                 message + ": nothing was migrated; correct it, or set migrations.backup: false");
}

/// Named after the configuration, else after the database, so that neighbours in one directory stay apart.
BackupNames names_of(const config::Configuration& configuration, const ResolvedDatabase& database) {
  auto name = configuration.name.empty() ? database.name : configuration.name;
  std::replace(name.begin(), name.end(), '/', '_');
  return BackupNames(name + kSuffix);
}

Result<std::string> free_name(const std::string& directory, const BackupNames& names) {
  const auto found = entries_of(directory);
  if (!found) return backup_failure(found.error().message);
  const auto now = std::chrono::system_clock::now();
  return names.name(now, names.next_collision(now, *found));
}

/// Left by those who were killed; whoever holds the migration lock is alone.
void remove_partials(const std::string& directory, const BackupNames& names) {
  const auto found = entries_of(directory);
  if (!found) return;
  for (const auto& name : *found) {
    if (names.is_partial(name)) unlink((directory + "/" + name).c_str());
  }
}

/// libpq's parameters as the variables its programs read; nothing of it is on a command line.
ChildRequest client(const ConnectionParameters& parameters) {
  static const std::map<std::string, std::string> variables{{"host", "PGHOST"},
                                                            {"port", "PGPORT"},
                                                            {"dbname", "PGDATABASE"},
                                                            {"user", "PGUSER"},
                                                            {"sslmode", "PGSSLMODE"},
                                                            {"sslrootcert", "PGSSLROOTCERT"},
                                                            {"sslcert", "PGSSLCERT"},
                                                            {"sslkey", "PGSSLKEY"},
                                                            {"options", "PGOPTIONS"},
                                                            {"channel_binding", "PGCHANNELBINDING"},
                                                            {"gssencmode", "PGGSSENCMODE"},
                                                            {"target_session_attrs", "PGTARGETSESSIONATTRS"},
                                                            {"connect_timeout", "PGCONNECT_TIMEOUT"}};
  ChildRequest request;
  for (const auto& [key, variable] : variables) {
    const auto value = parameters.values.find(key);
    request.environment[variable] = value == parameters.values.end() ? std::nullopt : std::optional(value->second);
  }
  request.environment["PGPASSWORD"] = parameters.password.reveal();
  request.environment["PGAPPNAME"] = "slipway backup";
  return request;
}

Result<void> run(const ChildRequest& request, const std::string& what) {
  auto outcome = run_child(request);
  if (!outcome) return backup_failure(what + ": " + outcome.error().message);
  if (outcome->status == 0) return {};
  std::string reason = outcome->last_line();
  for (const auto& line : outcome->lines) {
    if (line.find("error:") != std::string::npos) {
      reason = line;
      break;
    }
  }
  return backup_failure(what + ": " + reason);
}

Result<std::string> backup_directory(const config::Configuration& configuration) {
  auto path = configuration.backup.dir.empty() ? configuration.state_dir + "/backups" : configuration.backup.dir;
  std::error_code error;
  std::filesystem::create_directories(parent_of(path), error);
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return path;
  return backup_failure(system_failure(path, "cannot create").value().message);
}

Result<bool> has_tables(Connection& connection, const std::string& schema) {
  auto rows = connection.query(
      "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
      "('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND ($1 = '' OR n.nspname = $1) "
      "LIMIT 1",
      {schema}, ExitCode::kBackupFailed);
  if (!rows) return tl::unexpected(rows.error());
  return !rows->empty();
}

/// Patterns of pg_dump: in double quotes nothing is special but the double quote.
std::string exact_pattern(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

Result<void> dump(const Binaries& binaries, const ConnectionParameters& parameters, const std::string& schema,
                  const std::string& temporary) {
  const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) return backup_failure(system_failure(temporary, "cannot create").value().message);
  auto request = client(parameters);
  request.argv = {binaries.path("pg_dump"), "--format=custom", "--no-password", "--file=" + temporary};
  // Neighbours in the same database may not be ours to read.
  if (!schema.empty()) request.argv.push_back("--schema=" + exact_pattern(schema));
  if (auto dumped = run(request, "pg_dump"); !dumped) return dumped;
  ChildRequest reading;
  // Not --list, which is content with the beginning of the file.
  reading.argv = {binaries.path("pg_restore"), "--file=/dev/null", temporary};
  if (auto read = run(reading, "pg_restore " + temporary); !read) return read;
  if (auto synced = sync_path(temporary); !synced) return backup_failure(synced.error().message);
  return {};
}

/// pg_dump compresses: what it writes is rarely more than half of the tables' rows and all of what is stored apart,
/// which is compressed already. A volume that runs full may be the one the database lives on.
Result<void> check_space(Connection& connection, const std::string& schema, const std::string& directory) {
  auto rows = connection.query(
      "SELECT coalesce(sum(pg_table_size(c.oid) - pg_relation_size(c.oid) / 2), 0)::bigint FROM pg_catalog.pg_class c "
      "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' "
      "AND n.nspname <> 'information_schema' AND ($1 = '' OR n.nspname = $1)",
      {schema}, ExitCode::kBackupFailed);
  if (!rows) return tl::unexpected(rows.error());
  struct statvfs status{};
  if (statvfs(directory.c_str(), &status) != 0) {
    return backup_failure(system_failure(directory, "cannot be looked at").value().message);
  }
  const std::uint64_t needed = std::stoull("0" + rows->value()) + kReserve;
  const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  if (free >= needed) return {};
  return backup_failure(directory + ": the backup may need " + std::to_string(needed / 1024) + " KiB, but only " +
                        std::to_string(free / 1024) + " KiB are free: free some space, or set backup.dir");
}

/// A backup too many is no reason to hold the migration back. Whatever else is in the directory is not ours.
void prune(const std::string& directory, const BackupNames& names, unsigned keep, const std::string& made,
           const Report& report) {
  const auto entries = entries_of(directory);
  if (!entries) return;
  for (const auto& name : names.surplus(*entries, keep, made)) {
    if (unlink((directory + "/" + name).c_str()) == 0) say(report, "removed the old backup " + name);
  }
}

}  // namespace

Result<std::optional<std::string>> backup_before_migration(const config::Configuration& configuration,
                                                           const ResolvedDatabase& database, const Report& report) {
  const auto parameters = application_parameters(database);
  auto connection = wait_until_ready(parameters, configuration.database.postgres.wait, report);
  if (!connection) return tl::unexpected(connection.error());
  auto tables = has_tables(*connection, database.schema);
  if (!tables) return tl::unexpected(tables.error());
  if (!*tables) return std::nullopt;
  const int server = connection->server_version() / 10000;
  auto binaries = find_binaries(configuration.database.postgres.cluster.bin_dir, "pg_dump", server);
  if (!binaries) return backup_failure(binaries.error().message);
  if (binaries->major < server) {
    return backup_failure("pg_dump of version " + std::to_string(binaries->major) +
                          " cannot dump a server of version " + std::to_string(server) +
                          ": install postgresql-client-" + std::to_string(server));
  }
  auto directory = backup_directory(configuration);
  if (!directory) return tl::unexpected(directory.error());
  const auto names = names_of(configuration, database);
  remove_partials(*directory, names);
  if (auto space = check_space(*connection, database.schema, *directory); !space) return tl::unexpected(space.error());
  const auto name = free_name(*directory, names);
  if (!name) return tl::unexpected(name.error());
  auto path = *directory + "/" + *name;
  const auto temporary = *directory + "/" + names.partial(std::to_string(getpid()));
  auto written = dump(*binaries, parameters, database.schema, temporary);
  if (!written) {
    unlink(temporary.c_str());
    return tl::unexpected(written.error());
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    return backup_failure(system_failure(path, "cannot rename into place").value().message);
  }
  if (auto synced = sync_path(*directory); !synced) return backup_failure(synced.error().message);
  say(report, "backup written: " + path);
  prune(*directory, names, configuration.backup.keep, *name, report);
  return path;
}

}  // namespace slipway::database::postgres
