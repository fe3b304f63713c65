#pragma once
// Looks at a data directory without changing anything: is there a cluster, may we create one, or is it not ours?

#include <string>
#include <vector>

#include "config/error.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

inline constexpr auto kStagingName = "slipway-staging";    ///< an initdb that has not finished: worthless
inline constexpr auto kIncomingName = "slipway-incoming";  ///< a whole cluster on its way up into the data directory

enum class DirectoryState {
  kAbsent,
  kEmpty,    ///< nothing but our own leftovers
  kMoving,   ///< an interrupted move from kIncomingName
  kCluster,  ///< PG_VERSION and pg_control are there
};

struct DataDirectory {
  std::string path;  ///< absolute, links resolved as far as they exist
  DirectoryState state = DirectoryState::kAbsent;
  bool mount_point = false;
  int major = 0;  ///< of the cluster
};

/// Errors: 78 a path that is not absolute; 73 a file, a loop of links, unknown files, `lost+found`, a damaged cluster.
[[nodiscard]] Result<DataDirectory> inspect_data_directory(const std::string& path);

/// May a server of `major` run here as `identity`? Errors: 73 other major version, wrong owner or mode.
[[nodiscard]] Result<void> check_cluster(const DataDirectory& directory, const OsIdentity& identity, int major);

/// The names of a directory's entries, sorted.
[[nodiscard]] Result<std::vector<std::string>> entries_of(const std::string& path);

}  // namespace slipway::database::postgres
