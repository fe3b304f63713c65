#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/access_rules.hpp"
#include "database/postgres/binaries.hpp"
#include "database/postgres/child.hpp"
#include "database/postgres/cluster.hpp"
#include "database/postgres/data_directory.hpp"
#include "database/postgres/durable_file.hpp"
#include "database/postgres/os_identity.hpp"
#include "database/postgres/postmaster_pid.hpp"
#include "database/postgres/private_directory.hpp"
#include "database/postgres/server_command.hpp"
#include "database/postgres/superuser.hpp"

namespace slipway::database::postgres {
namespace {

constexpr auto kUsualSocketDirectory = "/var/run/postgresql";
constexpr int kLockWait = 10'000;  // milliseconds; the children of a killed postmaster notice within a second

/// Clients look there by default; not having it is no reason to fail.
bool usual_directory_is_writable(const OsIdentity& identity) {
  struct stat status{};
  if (stat(kUsualSocketDirectory, &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  if (!identity.switches) return access(kUsualSocketDirectory, W_OK | X_OK) == 0;
  if (!reachable(kUsualSocketDirectory, identity)) return false;
  if (status.st_uid == identity.uid) return (status.st_mode & S_IWUSR) != 0;
  return (status.st_mode & (status.st_gid == identity.gid ? S_IWGRP : S_IWOTH)) != 0;
}

Result<void> write_files(const ServerFiles& files, const std::string& settings, const OsIdentity& identity,
                         const std::vector<std::string>& superusers, bool provisioned) {
  const auto map = ident_map({identity.name, own_peer_name(identity)}, superusers);
  for (const auto& [path, text] : {std::pair(files.rules(), provisioning_rules()), std::pair(files.map(), map),
                                   std::pair(files.settings(), settings)}) {
    if (provisioned && path == files.rules()) continue;
    if (auto written = replace_file(path, text, 0600, identity.uid, identity.gid); !written) return written;
  }
  return {};
}

/// Asks the server itself, which knows the names of its version and of the libraries it would load.
Result<void> check_settings(const std::vector<std::string>& command, const OsIdentity& identity,
                            const config::StringMap& variables) {
  ChildRequest request;
  request.argv = command;
  request.argv.insert(request.argv.end(), {"-C", "data_directory"});
  request.identity = identity;
  for (const auto& [name, value] : variables) request.environment[name] = value;
  auto outcome = run_child(request);
  if (!outcome) return tl::unexpected(outcome.error());
  if (outcome->status == 0) return {};
  std::string reason;
  for (const auto& line : outcome->lines) {
    if (line.find("configuration file") == std::string::npos) reason += (reason.empty() ? "" : "; ") + line;
  }
  return failure(ExitCode::kConfiguration, "database.postgres.cluster.settings: " + reason + ": correct the setting");
}

Result<std::vector<std::string>> socket_directories(const ServerFiles& files, const OsIdentity& identity,
                                                    const std::string& port) {
  std::vector<std::string> directories{files.directory};
  if (usual_directory_is_writable(identity)) directories.emplace_back(kUsualSocketDirectory);
  for (auto directory = directories.begin(); directory != directories.end();) {
    auto cleared = clear_stale_socket_lock(*directory + "/.s.PGSQL." + port + ".lock");
    if (!cleared && directory == directories.begin()) return tl::unexpected(cleared.error());
    directory = cleared ? directory + 1 : directories.erase(directory);  // another server's public socket stays its own
  }
  return directories;
}

/// A server that is started again within a boot finds everything prepared, and nobody would open it a second time: it
/// keeps the rules that prepare() has installed. PID 1 removes the marker first thing at boot.
bool provisioned_in_this_boot(const config::Configuration& configuration, const ServerFiles& files) {
  return exists(configuration.markers.directory + "/database.ready") && exists(files.rules());
}

struct Prepared {
  OsIdentity identity;
  std::vector<std::string> command;
  config::StringMap variables;
  Descriptor lock;
};

Result<DataDirectory> existing_cluster(const std::string& path) {
  auto directory = inspect_data_directory(path);
  if (directory && directory->state != DirectoryState::kCluster) {
    return failure(ExitCode::kClusterRefused, path + ": there is no cluster: run `slipway-db initdb` first");
  }
  return directory;
}

Result<Descriptor> hold(const DataDirectory& directory, const OsIdentity& identity, const Report& report) {
  auto lock = lock_directory(directory.path, kLockWait);
  if (!lock) return lock;
  if (!*lock) {
    return failure(ExitCode::kClusterRefused, directory.path +
                                                  ": a server is running on it, perhaps in another "
                                                  "container that shares the volume: stop it");
  }
  auto taken = take_over_postmaster_pid(directory.path, identity);
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) say(report, directory.path + ": the postmaster.pid is of a server that is gone");
  return lock;
}

Result<Prepared> prepare_start(const config::Configuration& configuration, const ResolvedDatabase& database,
                               const Report& report) {
  const auto& cluster = configuration.database.postgres.cluster;
  auto identity = cluster_identity(cluster.os_user);
  if (!identity) return tl::unexpected(identity.error());
  auto directory = existing_cluster(cluster.data_dir);
  if (!directory) return tl::unexpected(directory.error());
  auto binaries = find_binaries(cluster.bin_dir, "postgres", directory->major);
  if (!binaries) return tl::unexpected(binaries.error());
  if (auto checked = check_cluster(*directory, *identity, binaries->major); !checked) {
    return tl::unexpected(checked.error());
  }
  if (auto listens = check_listening(cluster, database); !listens) return tl::unexpected(listens.error());
  auto settings = settings_text(cluster, directory->path);
  if (!settings) return tl::unexpected(settings.error());
  auto lock = hold(*directory, *identity, report);
  if (!lock) return tl::unexpected(lock.error());
  auto private_path = private_directory(configuration, *identity);
  if (!private_path) return tl::unexpected(private_path.error());
  const ServerFiles files{*private_path};
  auto variables = name_service_environment(*identity, files.directory);
  if (!variables) return tl::unexpected(variables.error());
  auto roles = superuser_candidates(database, *identity);
  roles.push_back(database.user);
  const bool provisioned = provisioned_in_this_boot(configuration, files);
  auto written = write_files(files, *settings, *identity, roles, provisioned);
  if (!written) return tl::unexpected(written.error());
  auto sockets = socket_directories(files, *identity, local_port(database));
  if (!sockets) return tl::unexpected(sockets.error());
  auto command = server_command(binaries->path("postgres"), cluster, database, directory->path, files, *sockets);
  if (!cluster.settings.empty()) {
    if (auto valid = check_settings(command, *identity, *variables); !valid) return tl::unexpected(valid.error());
  }
  return Prepared{*identity, std::move(command), std::move(*variables), std::move(*lock)};
}

}  // namespace

Result<void> run_server(const config::Configuration& configuration, const ResolvedDatabase& database,
                        const Report& report) {
  auto prepared = prepare_start(configuration, database, report);
  if (!prepared) return tl::unexpected(prepared.error());
  for (const auto& [name, value] : prepared->variables) setenv(name.c_str(), value.c_str(), 1);
  // The application's connection is none of the server's business, and its environment can be read from SQL.
  for (const char* name : {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGOPTIONS", "PGSSLMODE", "PGDATA",
                           "PGSERVICE", "PGCONNECT_TIMEOUT"}) {
    unsetenv(name);
  }
  if (!prepared->identity.home.empty()) setenv("HOME", prepared->identity.home.c_str(), 1);
  std::vector<char*> arguments;
  for (auto& argument : prepared->command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  // The server and its children keep the lock for as long as one of them lives, whatever container they are in.
  fcntl(prepared->lock.get(), F_SETFD, 0);
  umask(0077);
  std::signal(SIGPIPE, SIG_DFL);  // ours is ignored, and that would outlive the exec
  if (const int error = become(prepared->identity); error != 0) {
    errno = error;
    return system_failure(prepared->identity.name,
                          "cannot become this user (needs CAP_SETUID and CAP_SETGID; or start the container as it)",
                          ExitCode::kPermission);
  }
  execv(arguments.front(), arguments.data());
  return system_failure(arguments.front(), "cannot be executed");
}

}  // namespace slipway::database::postgres
