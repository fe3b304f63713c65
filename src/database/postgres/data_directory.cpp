#include "database/postgres/data_directory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

#include "database/postgres/durable_file.hpp"
#include "database/postgres/init_record.hpp"

namespace slipway::database::postgres {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> refuse(const std::string& path, const std::string& what) {
  return failure(ExitCode::kClusterRefused, path + ": " + what);
}

/// A bind mount has its parent's device number, so the kernel is asked; kernels before 5.8 do not tell.
bool is_mount_point(const std::string& path) {
  struct statx status{};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status) != 0) return false;
  if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }
  struct statx parent{};
  if (statx(AT_FDCWD, (path + "/..").c_str(), 0, STATX_BASIC_STATS, &parent) != 0) return false;
  return status.stx_dev_major != parent.stx_dev_major || status.stx_dev_minor != parent.stx_dev_minor;
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 5); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > 5 ? text + " and " + std::to_string(names.size() - 5) + " more" : text;
}

Result<int> cluster_version(const std::string& path) {
  auto text = read_file(path + "/PG_VERSION");
  if (!text) return refuse(path, "PG_VERSION cannot be read: correct the owner, or set cluster.os_user");
  int major = 0;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), major);
  if (parsed.ec != std::errc() || major < 10) {
    return refuse(path,
                  "PG_VERSION holds no known version: this is not a cluster Slipway can run; name another data_dir");
  }
  return major;
}

Result<DirectoryState> classify(const std::string& path, const std::vector<std::string>& names) {
  const auto has = [&](const char* name) { return std::binary_search(names.begin(), names.end(), name); };
  auto record = read_record(path);
  if (!record) return tl::unexpected(record.error());
  if (has(kIncomingName)) return DirectoryState::kMoving;
  if (*record == InitStage::kDiscarding) return DirectoryState::kEmpty;
  if (has("PG_VERSION")) {
    if (!exists(path + "/global/pg_control")) {
      return refuse(path,
                    "PG_VERSION is there but global/pg_control is missing: the cluster is damaged; restore a backup");
    }
    return DirectoryState::kCluster;
  }
  std::vector<std::string> foreign;
  for (const auto& name : names) {
    if (name != kStagingName && name != std::string(kRecordName) + ".tmp") foreign.push_back(name);
  }
  if (foreign.empty()) return DirectoryState::kEmpty;
  if (foreign == std::vector<std::string>{"lost+found"}) {
    return refuse(path,
                  "it is the root of a file system (lost+found): set database.postgres.cluster.data_dir to a "
                  "directory below it, such as " +
                      path + "/pgdata");
  }
  return refuse(path, "it is not empty and not a PostgreSQL cluster (" + list(foreign) +
                          "): name an empty directory, or move these files away");
}

}  // namespace

Result<std::vector<std::string>> entries_of(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) {
    errno = error.value();
    return system_failure(path, "cannot list", ExitCode::kClusterRefused);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<DataDirectory> inspect_data_directory(const std::string& path) {
  if (!path.starts_with("/")) {
    return failure(ExitCode::kConfiguration,
                   "database.postgres.cluster.data_dir: \"" + path + "\" is not absolute: begin it with /");
  }
  std::error_code error;
  DataDirectory directory;
  directory.path = fs::weakly_canonical(path, error).string();
  if (error) return refuse(path, "cannot be resolved (" + error.message() + "): correct the link or the permissions");
  while (directory.path.size() > 1 && directory.path.back() == '/') directory.path.pop_back();
  struct stat status{};
  if (stat(directory.path.c_str(), &status) != 0) {
    if (errno == ENOENT && !exists(directory.path)) return directory;
    return refuse(path, std::string("cannot be used (") + std::generic_category().message(errno) +
                            "): correct the link or the permissions");
  }
  if (!S_ISDIR(status.st_mode)) return refuse(path, "it is not a directory: name another data_dir");
  directory.mount_point = is_mount_point(directory.path);
  auto names = entries_of(directory.path);
  if (!names) return tl::unexpected(names.error());
  auto state = classify(directory.path, *names);
  if (!state) return tl::unexpected(state.error());
  directory.state = *state;
  if (directory.state == DirectoryState::kCluster) {
    auto major = cluster_version(directory.path);
    if (!major) return tl::unexpected(major.error());
    directory.major = *major;
  }
  return directory;
}

Result<void> check_cluster(const DataDirectory& directory, const OsIdentity& identity, int major) {
  if (directory.major != major) {
    return refuse(directory.path, "the cluster is of PostgreSQL " + std::to_string(directory.major) +
                                      ", but this image has " + std::to_string(major) +
                                      ": run an image with PostgreSQL " + std::to_string(directory.major) +
                                      ", or upgrade with pg_upgrade or dump and restore");
  }
  struct stat status{};
  if (stat(directory.path.c_str(), &status) != 0) return system_failure(directory.path, "cannot look at");
  if (status.st_uid != identity.uid) {
    return refuse(directory.path, "it belongs to uid " + std::to_string(status.st_uid) +
                                      ", but PostgreSQL would run as uid " + std::to_string(identity.uid) +
                                      ": chown -R " + std::to_string(identity.uid) + " it, or set cluster.os_user");
  }
  if ((status.st_mode & 0027U) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", status.st_mode & 07777U);
    return refuse(directory.path,
                  std::string("its mode is ") + mode.data() + ", PostgreSQL accepts 0700 or 0750: chmod 0700 it");
  }
  return {};
}

}  // namespace slipway::database::postgres
