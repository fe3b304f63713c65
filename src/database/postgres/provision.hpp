#pragma once
// Role, database, schema and extensions of the local cluster: created if missing, corrected if wrong. Idempotent.

#include "config/configuration.hpp"
#include "database/postgres/connection.hpp"
#include "database/postgres/superuser.hpp"

namespace slipway::database::postgres {

/// Names PostgreSQL would silently shorten, or cannot hold. Errors: 78.
[[nodiscard]] Result<void> check_names(const ResolvedDatabase& database);

/// The role can log in with the resolved password (sent as a SCRAM verifier), and owns the database.
[[nodiscard]] Result<void> provision_role_and_database(Connection& administrator, const ResolvedDatabase& database,
                                                       const Report& report);

/// Inside the target database: schema, search_path, rights on `public`, extensions. `administrator` is connected to it.
[[nodiscard]] Result<void> provision_schema(Connection& administrator, const ResolvedDatabase& database,
                                            const std::vector<std::string>& extensions, const Report& report);

/// CREATE EXTENSION for those that are missing, into the first schema of `search_path` (quoted names; empty: the
/// session's own). Errors: 78 not available on the server, 77 not allowed.
[[nodiscard]] Result<void> create_extensions(Connection& connection, const std::vector<std::string>& extensions,
                                             const std::string& search_path, const Report& report);

}  // namespace slipway::database::postgres
