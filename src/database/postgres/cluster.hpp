#pragma once
// The cluster in this container: `slipway-db initdb` creates it, `slipway-db server` becomes its postmaster.
// Both run as root (and work as os_user) or as any other user (and work as that one), in this order, before prepare().

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/report.hpp"
#include "database/resolve.hpp"

namespace slipway::database::postgres {

/// Creates the cluster unless there is one. Killed at any instant it leaves no cluster or a whole one, and the next
/// call cleans up. The initdb runs in a staging directory beside the data directory and is renamed into place; where
/// the data directory is a mount point or its parent is not writable, staging is inside it and moves up with
/// PG_VERSION last. A first initialisation whose init scripts were interrupted is built again, because nothing was
/// ever served from it; where another server has run on it since, it is refused instead.
/// Errors: 73 with the reason and the way out, the directory's contents untouched, when it is not ours to use (other
/// major version, owner or mode, unknown files, a running server on it); 78 for a wrong setting; 70 otherwise.
[[nodiscard]] Result<void> initialise_cluster(const config::Configuration& configuration,
                                              const ResolvedDatabase& database, const Report& report);

/// Becomes the postmaster: same pid, so that stop signals reach it (SIGINT is a fast shutdown). Installs rules that
/// admit only Slipway's own local connection; prepare() replaces them. Returns only on failure.
/// Errors: as initialise_cluster; 78 names an unknown or invalid setting.
[[nodiscard]] Result<void> run_server(const config::Configuration& configuration, const ResolvedDatabase& database,
                                      const Report& report);

}  // namespace slipway::database::postgres
