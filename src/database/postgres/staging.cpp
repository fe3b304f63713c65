#include "database/postgres/staging.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

Result<void> own(const std::string& path, const OsIdentity& identity) {
  const auto owner = identity.switches ? identity.uid : static_cast<uid_t>(-1);
  const int error = own_directory(path, owner, identity.gid, 0700);
  if (error == 0) return {};
  const auto uid = std::to_string(identity.uid);
  return failure(ExitCode::kClusterRefused,
                 path + ": cannot be given to uid " + uid + " with mode 0700 (" + std::strerror(error) + "): " +
                     (identity.switches ? "start as that user, or with CAP_CHOWN, CAP_FOWNER, CAP_SETUID and CAP_SETGID"
                                        : "chown it to uid " + uid + ", or name a directory below it"));
}

}  // namespace

Result<Staging> choose_staging(const DataDirectory& directory) {
  const auto parent = parent_of(directory.path);
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) {
    errno = error.value();
    return system_failure(parent, "cannot create", ExitCode::kClusterRefused);
  }
  if (!directory.mount_point && access(parent.c_str(), W_OK) == 0) {
    return Staging{directory.path + "." + kStagingName, parent, false};
  }
  if (directory.state == DirectoryState::kAbsent) {
    return failure(ExitCode::kPermission, directory.path + ": does not exist and " + parent +
                                              " is not writable: create it, or mount a volume there");
  }
  return Staging{directory.path + "/" + kStagingName, directory.path, true};
}

Result<void> create_staging(const Staging& staging, const DataDirectory& directory, const OsIdentity& identity) {
  // A leftover of either kind: what was a mount point yesterday may be none today.
  for (const auto& leftover : {directory.path + "." + kStagingName, directory.path + "/" + kStagingName}) {
    if (auto removed = remove_tree(leftover); !removed && leftover == staging.path) return removed;
  }
  if (staging.inside) {
    if (auto owned = own(directory.path, identity); !owned) return owned;
  }
  if (mkdir(staging.path.c_str(), 0700) != 0) return system_failure(staging.path, "cannot create");
  return own(staging.path, identity);
}

Result<void> publish_staging(const Staging& staging, const DataDirectory& directory, const OsIdentity& identity) {
  if (auto synced = sync_path(staging.path); !synced) return synced;
  const auto target = staging.inside ? directory.path + "/" + kIncomingName : directory.path;
  if (rename(staging.path.c_str(), target.c_str()) != 0) {
    return system_failure(target, "cannot rename the new cluster into place", ExitCode::kClusterRefused);
  }
  if (auto synced = sync_path(staging.locked); !synced) return synced;
  if (!staging.inside) return {};
  if (auto owned = own(directory.path, identity); !owned) return owned;
  return move_up(directory.path);
}

Result<void> move_up(const std::string& data_dir) {
  const auto incoming = data_dir + "/" + kIncomingName;
  auto names = entries_of(incoming);
  if (!names) return tl::unexpected(names.error());
  std::partition(names->begin(), names->end(), [](const auto& name) { return name != "PG_VERSION"; });
  for (const auto& name : *names) {
    if (name == "PG_VERSION") {
      if (auto synced = sync_path(data_dir); !synced) return synced;
    }
    // Never over something: rename(2) would replace a file, and nobody knows whose it is.
    if (renameat2(AT_FDCWD, (incoming + "/" + name).c_str(), AT_FDCWD, (data_dir + "/" + name).c_str(),
                  RENAME_NOREPLACE) == 0) {
      continue;
    }
    if (errno == EINVAL && !exists(data_dir + "/" + name) &&
        rename((incoming + "/" + name).c_str(), (data_dir + "/" + name).c_str()) == 0) {
      continue;
    }
    return system_failure(data_dir + "/" + name,
                          "an interrupted initialisation cannot be finished (move this file away)",
                          ExitCode::kClusterRefused);
  }
  if (rmdir(incoming.c_str()) != 0) return system_failure(incoming, "cannot remove");
  return sync_path(data_dir);
}

}  // namespace slipway::database::postgres
