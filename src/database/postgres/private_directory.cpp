#include "database/postgres/private_directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

constexpr std::size_t kLongestSocketPath = 107;
constexpr std::string_view kLongestSocketName = "/.s.PGSQL.65535";

bool may_enter(const struct stat& status, const OsIdentity& identity) {
  if (identity.uid == 0) return true;
  if (status.st_uid == identity.uid) return (status.st_mode & S_IXUSR) != 0;
  const bool member = status.st_gid == identity.gid ||
                      std::find(identity.groups.begin(), identity.groups.end(), status.st_gid) != identity.groups.end();
  return (status.st_mode & (member ? S_IXGRP : S_IXOTH)) != 0;
}

/// The server and its provisioning start together and both look here: the directory appears with its owner, or not at
/// all. True also when the other one was first.
bool create_private(const std::string& path, const OsIdentity& identity) {
  std::string fresh = parent_of(path) + "/.postgres-XXXXXX";
  if (mkdtemp(fresh.data()) == nullptr) return false;
  const auto owner = identity.switches ? identity.uid : static_cast<uid_t>(-1);
  const bool owned = own_directory(fresh, owner, identity.gid, 0700) == 0;
  if (owned && renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  // Not every file system has RENAME_NOREPLACE; rename(2) replaces nothing but an empty directory.
  const bool unsupported = owned && (errno == EINVAL || errno == ENOSYS);
  if (unsupported && !exists(path) && rename(fresh.c_str(), path.c_str()) == 0) return true;
  rmdir(fresh.c_str());
  return owned && exists(path);
}

/// Somebody else's directory of that name is never taken over.
bool make_private(const std::string& path, const OsIdentity& identity) {
  std::error_code error;
  std::filesystem::create_directories(parent_of(path), error);
  if (!exists(path) && !create_private(path, identity)) return false;
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != identity.uid) return false;
  if ((status.st_mode & 0777U) != 0700 && own_directory(path, static_cast<uid_t>(-1), 0, 0700) != 0) return false;
  if (access(path.c_str(), W_OK) != 0) return false;
  return !identity.switches || reachable(path, identity);
}

}  // namespace

bool reachable(const std::string& path, const OsIdentity& identity) {
  std::filesystem::path walked;
  for (const auto& part : std::filesystem::path(path)) {
    walked /= part;
    struct stat status{};
    if (stat(walked.c_str(), &status) != 0) return false;
    if (S_ISDIR(status.st_mode) && !may_enter(status, identity)) return false;
  }
  return true;
}

Result<std::string> private_directory(const config::Configuration& configuration, const OsIdentity& identity) {
  const std::vector<std::string> candidates{parent_of(configuration.control.socket) + "/postgres",
                                            configuration.state_dir + "/postgres",
                                            configuration.database.postgres.cluster.data_dir + "/slipway"};
  bool too_long = false;
  for (const auto& candidate : candidates) {
    if (!candidate.starts_with("/")) continue;
    if (candidate.size() + kLongestSocketName.size() > kLongestSocketPath) {
      too_long = true;
    } else if (make_private(candidate, identity)) {
      return candidate;
    }
  }
  if (too_long) {
    return failure(ExitCode::kConfiguration, candidates.front() +
                                                 ": too long for a socket's path (107 bytes): "
                                                 "shorten control.socket or state_dir");
  }
  return failure(ExitCode::kPermission, candidates.front() + ", " + candidates[1] + ": uid " +
                                            std::to_string(identity.uid) +
                                            " cannot use either: make state_dir writable for it");
}

}  // namespace slipway::database::postgres
