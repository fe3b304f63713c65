#include "database/postgres/init_scripts.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/stat.h>

#include "database/postgres/data_directory.hpp"
#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

ScriptKind kind_of(const std::string& path, const struct stat& status) {
  if (path.ends_with(".sh")) return (status.st_mode & 0111U) != 0 ? ScriptKind::kExecutable : ScriptKind::kSourced;
  if (path.ends_with(".sql")) return ScriptKind::kSql;
  if (path.ends_with(".sql.gz")) return ScriptKind::kGzip;
  if (path.ends_with(".sql.xz")) return ScriptKind::kXz;
  if (path.ends_with(".sql.zst")) return ScriptKind::kZstd;
  return ScriptKind::kIgnored;
}

/// Scripts of the official image may call this function of its entrypoint.
constexpr auto kPrelude = "set -Eeo pipefail; docker_process_sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc \"$@\"; }; ";

/// bash knows the script as $1, so that no name is ever part of a command's text.
std::vector<std::string> command_for(const InitScript& script) {
  const auto shell = [&](const std::string& text) {
    return std::vector<std::string>{"/bin/bash", "-c", kPrelude + text, "bash", script.path};
  };
  switch (script.kind) {
    case ScriptKind::kSql:
      return shell("docker_process_sql --file=\"$1\"");
    case ScriptKind::kGzip:
      return shell("gunzip --stdout \"$1\" | docker_process_sql");
    case ScriptKind::kXz:
      return shell("xzcat \"$1\" | docker_process_sql");
    case ScriptKind::kZstd:
      return shell("zstd --decompress --stdout --quiet \"$1\" | docker_process_sql");
    case ScriptKind::kSourced:
      return shell(". \"$1\"");
    case ScriptKind::kExecutable:
      return {script.path};
    case ScriptKind::kIgnored:
      break;
  }
  return {};
}

ChildRequest request_for(const InitScript& script, const ScriptContext& context) {
  ChildRequest request;
  request.argv = command_for(script);
  request.identity = context.identity;
  const char* path = std::getenv("PATH");
  auto& environment = request.environment;
  for (const auto& [name, value] : context.variables) environment[name] = value;
  for (const char* name : {"PGPASSWORD", "PGPASSFILE", "PGOPTIONS", "PGSERVICE", "PGTARGETSESSIONATTRS",
                           "PGCHANNELBINDING", "PGREQUIREAUTH"}) {
    environment[name] = std::nullopt;
  }
  environment["PATH"] = context.bin_dir + ":" + (path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  environment["HOME"] = context.identity.home;
  environment["PGHOST"] = context.administration.socket_directory;
  environment["PGPORT"] = context.administration.port;
  environment["PGSSLMODE"] = "disable";
  environment["PGUSER"] = context.role;
  environment["PGDATABASE"] = context.database;
  environment["POSTGRES_USER"] = context.role;
  environment["POSTGRES_DB"] = context.database;
  environment["PGDATA"] = context.data_dir;
  return request;
}

}  // namespace

Result<std::vector<InitScript>> find_init_scripts(const std::string& directory) {
  std::vector<InitScript> scripts;
  if (directory.empty() || !exists(directory)) return scripts;
  auto names = entries_of(directory);
  if (!names) return tl::unexpected(names.error());
  for (const auto& name : *names) {
    if (name.starts_with(".")) continue;
    const auto path = directory + "/" + name;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) return system_failure(path, "cannot be read", ExitCode::kClusterRefused);
    if (!S_ISDIR(status.st_mode)) scripts.push_back({path, kind_of(path, status)});
  }
  return scripts;
}

Result<void> run_init_scripts(const std::vector<InitScript>& scripts, const ScriptContext& context,
                              const Report& report) {
  for (const auto& script : scripts) {
    if (script.kind == ScriptKind::kIgnored) {
      say(report, script.path + ": ignored: not .sql, .sql.gz, .sql.xz, .sql.zst or .sh");
      continue;
    }
    say(report, "running " + script.path);
    auto request = request_for(script, context);
    request.output = report;
    auto outcome = run_child(request);
    const auto advice = std::string(": correct it and start again; the cluster is then built afresh");
    if (!outcome) return failure(ExitCode::kClusterRefused, script.path + ": " + outcome.error().message + advice);
    if (outcome->status != 0) {
      return failure(ExitCode::kClusterRefused, script.path + ": failed (" + std::to_string(outcome->status) +
                                                    "): " + outcome->last_line() + advice);
    }
  }
  return {};
}

}  // namespace slipway::database::postgres
