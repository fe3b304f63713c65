#pragma once
// The one thing slipway-db says to PID 1 besides its output and its exit code.

#include <string>

namespace slipway::database {

/// Sends `X_SLIPWAY_SCHEMA_VERSION=<version>` to NOTIFY_SOCKET (sd_notify(3)) where that is set. A lost message loses
/// an information in a marker, never the boot; so nothing is returned.
void notify_schema_version(const std::string& version);

}  // namespace slipway::database
