#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/binaries.hpp"
#include "database/postgres/child.hpp"
#include "database/postgres/cluster.hpp"
#include "database/postgres/data_directory.hpp"
#include "database/postgres/durable_file.hpp"
#include "database/postgres/init_record.hpp"
#include "database/postgres/initdb_command.hpp"
#include "database/postgres/os_identity.hpp"
#include "database/postgres/postmaster_pid.hpp"
#include "database/postgres/private_directory.hpp"
#include "database/postgres/staging.hpp"

namespace slipway::database::postgres {
namespace {

constexpr int kLockWait = 30'000;  // milliseconds; what a killed boot started ends by itself well within that

Result<Descriptor> lock(const std::string& path) {
  auto held = lock_directory(path, kLockWait);
  if (held && !*held) {
    return failure(ExitCode::kClusterRefused, path +
                                                  ": another process is using this directory, perhaps in another "
                                                  "container that shares the volume: stop it");
  }
  return held;
}

/// Where the user's uid has no name, initdb needs one through files that live as long as this call.
class TemporaryNames {
 public:
  explicit TemporaryNames(const OsIdentity& identity) : identity_(identity) {}
  ~TemporaryNames() {
    if (directory_.empty()) return;
    [[maybe_unused]] const auto removed = remove_tree(directory_);
  }
  TemporaryNames(const TemporaryNames&) = delete;
  TemporaryNames& operator=(const TemporaryNames&) = delete;

  Result<config::StringMap> environment() {
    if (identity_.has_passwd_entry) return config::StringMap{};
    for (std::string pattern : {"/tmp/slipway-names-XXXXXX", "/dev/shm/slipway-names-XXXXXX"}) {
      if (mkdtemp(pattern.data()) == nullptr) continue;
      directory_ = pattern;
      return name_service_environment(identity_, directory_);
    }
    return system_failure("/tmp", "cannot create a directory");
  }

 private:
  const OsIdentity& identity_;
  std::string directory_;
};

Result<void> run_initdb(const config::PostgresCluster& cluster, const Staging& staging, const OsIdentity& identity,
                        const Binaries& binaries, int inherited, const Report& report) {
  auto command = initdb_command(binaries.path("initdb"), staging.path,
                                usable_locale(std::getenv("LC_ALL"), std::getenv("LANG")), cluster.initdb_args);
  if (!command) return tl::unexpected(command.error());
  TemporaryNames names(identity);
  auto variables = names.environment();
  if (!variables) return tl::unexpected(variables.error());
  ChildRequest request;
  request.argv = *command;
  request.identity = identity;
  request.inherited = inherited;
  for (const auto& [name, value] : *variables) request.environment[name] = value;
  for (const char* name : {"PGDATA", "PGPASSWORD", "PGOPTIONS"}) request.environment[name] = std::nullopt;
  auto outcome = run_child(request);
  if (!outcome) return tl::unexpected(outcome.error());
  if (outcome->status == 0) return {};
  for (const auto& line : outcome->lines) say(report, "initdb: " + line);
  std::string reason = outcome->last_line();
  for (const auto& line : outcome->lines) {
    if (line.find("error:") != std::string::npos || line.find("FATAL:") != std::string::npos) reason = line;
  }
  return failure(ExitCode::kClusterRefused, staging.path + ": initdb failed (" + std::to_string(outcome->status) +
                                                "): " + reason + ": correct the cause, or cluster.initdb_args");
}

Result<void> create(const DataDirectory& directory, const config::PostgresCluster& cluster, const OsIdentity& identity,
                    const Report& report) {
  auto binaries = find_binaries(cluster.bin_dir, "initdb", 0);
  if (!binaries) return tl::unexpected(binaries.error());
  auto staging = choose_staging(directory);
  if (!staging) return tl::unexpected(staging.error());
  if (identity.switches && !reachable(staging->locked, identity)) {
    return failure(ExitCode::kClusterRefused, staging->locked + ": user " + identity.name +
                                                  " cannot enter it: chmod it (o+x), or name another data_dir");
  }
  auto held = lock(staging->locked);
  if (!held) return tl::unexpected(held.error());
  auto again = inspect_data_directory(directory.path);  // another container may have been faster
  if (!again) return tl::unexpected(again.error());
  if (again->state == DirectoryState::kCluster) return check_cluster(*again, identity, binaries->major);
  if (auto created = create_staging(*staging, *again, identity); !created) return created;
  say(report, "creating a PostgreSQL " + std::to_string(binaries->major) + " cluster in " + directory.path);
  auto made = run_initdb(cluster, *staging, identity, *binaries, held->get(), report);
  if (made) made = write_record(staging->path, InitStage::kCluster, identity);
  if (made) return publish_staging(*staging, *again, identity);
  [[maybe_unused]] const auto removed = remove_tree(staging->path);
  return made;
}

enum class LastServer { kNone, kOurs, kAnother };

/// postmaster.opts holds the last server's command line. Ours is marked.
Result<LastServer> last_server(const std::string& data_dir) {
  const auto path = data_dir + "/postmaster.opts";
  if (!exists(path)) return LastServer::kNone;
  const auto options = read_file(path);
  if (!options) return tl::unexpected(options.error());
  return options->find("slipway.managed=on") == std::string::npos ? LastServer::kAnother : LastServer::kOurs;
}

/// PG_VERSION goes first: without it nothing here is a cluster any more. The proof that only our server ran goes last.
int rank(const std::string& name) { return name == "PG_VERSION" ? 0 : name == "postmaster.opts" ? 2 : 1; }

/// Empties the directory of an unfinished cluster, which moves into the staging directory, worthless by its name. So
/// the record that says "discarding" stays for milliseconds, however long the removal takes. Can be continued.
Result<void> discard(const DataDirectory& directory, const OsIdentity& identity) {
  if (auto written = write_record(directory.path, InitStage::kDiscarding, identity); !written) return written;
  const auto grave = directory.path + "/" + kStagingName;
  if (auto removed = remove_tree(grave); !removed) return removed;
  if (mkdir(grave.c_str(), 0700) != 0) return system_failure(grave, "cannot create");
  auto names = entries_of(directory.path);
  if (!names) return tl::unexpected(names.error());
  std::stable_sort(names->begin(), names->end(), [](const auto& a, const auto& b) { return rank(a) < rank(b); });
  for (const auto& name : *names) {
    if (name == kRecordName || name == kStagingName) continue;
    const auto path = directory.path + "/" + name;
    if (rename(path.c_str(), (grave + "/" + name).c_str()) != 0) return system_failure(path, "cannot move away");
  }
  if (auto synced = sync_path(directory.path); !synced) return synced;
  if (auto removed = remove_tree(directory.path + "/" + kRecordName); !removed) return removed;
  if (auto synced = sync_path(directory.path); !synced) return synced;
  return remove_tree(grave);
}

/// Removes a cluster whose first initialisation was interrupted during the init scripts. Everything is looked at again
/// under the lock: while this boot waited for it, another one may have built the cluster and served from it.
Result<void> begin_again(const DataDirectory& directory, const OsIdentity& identity, const Report& report) {
  auto held = lock(directory.path);
  if (!held) return tl::unexpected(held.error());
  auto record = read_record(directory.path);
  if (!record) return tl::unexpected(record.error());
  if (*record != InitStage::kInitScripts && *record != InitStage::kDiscarding) return {};
  if (auto stopped = refuse_running_server(directory.path); !stopped) return stopped;
  auto last = last_server(directory.path);
  if (!last) return tl::unexpected(last.error());
  if (exists(directory.path + "/PG_VERSION") && *last != LastServer::kOurs) {
    return failure(ExitCode::kClusterRefused,
                   directory.path +
                       ": its first initialisation was interrupted during the init scripts, and another "
                       "server has used it since: if the data is good, remove " +
                       kRecordName + " there; else empty it");
  }
  say(report, directory.path +
                  ": the first initialisation was interrupted during the init scripts and nobody was let "
                  "in: building the cluster again");
  return discard(directory, identity);
}

/// Made by Slipway but used by another server before Slipway had prepared it: what is in it is somebody's, no init
/// script may run over it, and no failure of one may lead to its removal.
Result<void> adopt_if_used(const DataDirectory& directory, const OsIdentity& identity, const Report& report) {
  auto last = last_server(directory.path);
  if (!last) return tl::unexpected(last.error());
  if (*last != LastServer::kAnother) return {};
  auto held = lock(directory.path);
  if (!held) return tl::unexpected(held.error());
  auto record = read_record(directory.path);
  last = last_server(directory.path);
  if (!record || !last) return tl::unexpected(record ? last.error() : record.error());
  if (*record != InitStage::kCluster || *last != LastServer::kAnother) return {};
  say(report, directory.path + ": another server has used this cluster: no init scripts are run");
  return write_record(directory.path, InitStage::kComplete, identity);
}

Result<void> finish_move(const DataDirectory& directory, const Report& report) {
  auto held = lock(directory.path);
  if (!held) return tl::unexpected(held.error());
  if (!exists(directory.path + "/" + kIncomingName)) return {};
  say(report, directory.path + ": finishing an initialisation that was interrupted");
  return move_up(directory.path);
}

Result<void> use(const DataDirectory& directory, const config::PostgresCluster& cluster, const OsIdentity& identity) {
  auto binaries = find_binaries(cluster.bin_dir, "postgres", directory.major);
  if (!binaries) return tl::unexpected(binaries.error());
  if (auto checked = check_cluster(directory, identity, binaries->major); !checked) return checked;
  return {};
}

}  // namespace

Result<void> initialise_cluster(const config::Configuration& configuration, const ResolvedDatabase& /*database*/,
                                const Report& report) {
  const auto& cluster = configuration.database.postgres.cluster;
  auto identity = cluster_identity(cluster.os_user);
  if (!identity) return tl::unexpected(identity.error());
  auto directory = inspect_data_directory(cluster.data_dir);
  if (!directory) return tl::unexpected(directory.error());
  if (directory->state == DirectoryState::kMoving) {
    if (auto moved = finish_move(*directory, report); !moved) return moved;
    directory = inspect_data_directory(cluster.data_dir);
    if (!directory) return tl::unexpected(directory.error());
  }
  if (directory->state == DirectoryState::kEmpty && exists(directory->path + "/" + kRecordName)) {
    if (auto again = begin_again(*directory, *identity, report); !again) return again;
    directory = inspect_data_directory(cluster.data_dir);
    if (!directory) return tl::unexpected(directory.error());
  }
  if (directory->state != DirectoryState::kCluster) return create(*directory, cluster, *identity, report);
  if (auto usable = use(*directory, cluster, *identity); !usable) return usable;
  if (auto stopped = refuse_running_server(directory->path); !stopped) return stopped;
  auto record = read_record(directory->path);
  if (!record) return tl::unexpected(record.error());
  if (*record == InitStage::kCluster) return adopt_if_used(*directory, *identity, report);
  if (*record != InitStage::kInitScripts) return {};
  if (auto again = begin_again(*directory, *identity, report); !again) return again;
  directory = inspect_data_directory(cluster.data_dir);
  if (!directory) return tl::unexpected(directory.error());
  if (directory->state == DirectoryState::kCluster) return use(*directory, cluster, *identity);
  return create(*directory, cluster, *identity, report);
}

}  // namespace slipway::database::postgres
