#pragma once
// The postmaster's command line and its settings file. What provisioning depends on is on the command line, where
// neither ALTER SYSTEM nor a file can change it; the user's settings are in a file, because a setting can be a secret.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/resolve.hpp"

namespace slipway::database::postgres {

struct ServerFiles {
  std::string directory;  ///< the private one
  [[nodiscard]] std::string rules() const { return directory + "/pg_hba.conf"; }
  [[nodiscard]] std::string map() const { return directory + "/pg_ident.conf"; }
  [[nodiscard]] std::string settings() const { return directory + "/postgresql.conf"; }
};

/// The port of the local server.
[[nodiscard]] std::string local_port(const ResolvedDatabase& database);

/// Errors: 78 when the application connects over TCP but the server would not listen.
[[nodiscard]] Result<void> check_listening(const config::PostgresCluster& cluster, const ResolvedDatabase& database);

/// Errors: 78 a name that is none, or a setting that has a key of its own in the configuration.
[[nodiscard]] Result<std::string> settings_text(const config::PostgresCluster& cluster, const std::string& data_dir);

/// `socket_directories`: the private one first.
[[nodiscard]] std::vector<std::string> server_command(const std::string& program,
                                                      const config::PostgresCluster& cluster,
                                                      const ResolvedDatabase& database, const std::string& data_dir,
                                                      const ServerFiles& files,
                                                      const std::vector<std::string>& socket_directories);

}  // namespace slipway::database::postgres
