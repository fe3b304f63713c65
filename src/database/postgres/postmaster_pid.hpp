#pragma once
// postmaster.pid: does it mean a running server, or is it what a killed one left behind?

#include <string>

#include "config/error.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

/// Changes nothing. Errors: 73 when a server runs on this directory: its executable is a postmaster and the directory
/// is its own.
[[nodiscard]] Result<void> refuse_running_server(const std::string& data_dir);

/// For the process that becomes the postmaster, under the directory's lock. In containers small pids come again at
/// every start, and PostgreSQL goes by the pid alone: a file whose pid now belongs to another program gets our own pid,
/// which PostgreSQL takes for stale, so that it still looks for processes attached to the old shared memory by itself.
/// One without a pid, which it would refuse, is removed; one whose pid is free is left to it. True when something was
/// done. Errors: as refuse_running_server().
[[nodiscard]] Result<bool> take_over_postmaster_pid(const std::string& data_dir, const OsIdentity& identity);

/// Removes a socket's lock file (`.s.PGSQL.5432.lock`) that has no pid or that of another program; line 2 names its
/// server's data directory.
/// Errors: 73 when the server that made it runs.
[[nodiscard]] Result<bool> clear_stale_socket_lock(const std::string& path);

}  // namespace slipway::database::postgres
