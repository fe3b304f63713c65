#pragma once
// Puts a new cluster into place so that a crash at any instant leaves none or a whole one. The caller holds the lock
// of the directory that staging is created in.

#include <string>

#include "config/error.hpp"
#include "database/postgres/data_directory.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

/// Where a cluster is staged: beside the data directory, or inside it where that is a mount point or its parent is
/// not writable.
struct Staging {
  std::string path;
  std::string locked;  ///< the directory whose lock protects it
  bool inside = false;
};

/// Creates missing parents of the data directory, and the data directory itself where staging is inside.
[[nodiscard]] Result<Staging> choose_staging(const DataDirectory& directory);

/// Removes what a killed initdb left and creates an empty staging directory owned by `identity`, 0700.
[[nodiscard]] Result<void> create_staging(const Staging& staging, const DataDirectory& directory,
                                          const OsIdentity& identity);

/// Moves the complete cluster into place and makes that durable.
[[nodiscard]] Result<void> publish_staging(const Staging& staging, const DataDirectory& directory,
                                           const OsIdentity& identity);

/// Finishes (or begins) the move of kIncomingName's entries into the data directory, PG_VERSION last. Errors: 73 when
/// an entry of the same name is already there.
[[nodiscard]] Result<void> move_up(const std::string& data_dir);

}  // namespace slipway::database::postgres
