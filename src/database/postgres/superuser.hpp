#pragma once
// Slipway's own connection to the local server: over the private socket, as a superuser, by peer authentication.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "database/postgres/connection.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

struct Administration {
  std::string socket_directory;
  std::string port;
  std::string superuser;
};

/// Who may be a superuser here, likeliest first: initdb by Slipway or Debian makes "postgres", the official image
/// makes $POSTGRES_USER, a plain initdb the operating system's user.
[[nodiscard]] std::vector<std::string> superuser_candidates(const ResolvedDatabase& database,
                                                            const OsIdentity& identity);

[[nodiscard]] ConnectionParameters administration_parameters(const Administration& administration,
                                                             const std::string& database);

/// Waits for the server and finds the candidate that is a superuser; fills in `administration.superuser`. Connects to
/// `database` where it exists, else to "postgres" or "template1".
/// Errors: 69 as wait_until_ready; 77 when none of the candidates is one, naming them.
[[nodiscard]] Result<Connection> connect_as_superuser(Administration& administration, const std::string& database,
                                                      const std::vector<std::string>& candidates,
                                                      const config::PostgresWait& wait, const Report& report);

}  // namespace slipway::database::postgres
