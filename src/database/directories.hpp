#pragma once
// Directories for databases and backups.

#include <string>
#include <sys/types.h>

#include "config/error.hpp"
#include "host/accounts.hpp"

namespace slipway::database {

/// Creates what is missing of an absolute path. Only what is created here gets the mode and, when we are root, the
/// owner. Several processes may do it at once.
/// Errors: 77 not allowed or read-only; 73 otherwise, such as a file in the way.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode, const host::Identity& owner);

}  // namespace slipway::database
