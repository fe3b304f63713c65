#pragma once
// A directory only PostgreSQL's user (and root) can enter: the socket of the provisioning phase, the access rules and
// the settings of this boot live there.

#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

/// Creates it, 0700 and owned by `identity`, in the first suitable place: beside the control socket, in state_dir,
/// in the data directory. Always the same answer within a boot. Errors: 78 when every place is too long for a socket
/// (107 bytes, unix(7)), 77 when none can be written.
[[nodiscard]] Result<std::string> private_directory(const config::Configuration& configuration,
                                                    const OsIdentity& identity);

/// Can `identity` enter every directory on the way to `path`, by permission bits?
[[nodiscard]] bool reachable(const std::string& path, const OsIdentity& identity);

}  // namespace slipway::database::postgres
