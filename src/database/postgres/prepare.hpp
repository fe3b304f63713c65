#pragma once
// `slipway-db prepare`: from a server that starts to a database the application can use.

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/report.hpp"
#include "database/resolve.hpp"

namespace slipway::database::postgres {

/// Local: waits on the private socket, creates or corrects role, password, database, schema, search_path and
/// extensions, runs the init scripts of a first initialisation, opens the server by installing the real pg_hba.conf.
/// External: waits, then creates the schema and the extensions if they are missing.
/// Both end with an authenticated SELECT 1 on the target database as the application's role. Safe to repeat.
/// The init scripts run as the application's role, which is superuser while they run, as in the official image: what
/// they create belongs to the application.
/// Errors: 69 not available in time or no such database, 77 authentication or a missing right, 73 an init script that
/// failed (the next boot builds the cluster again), 78 an invalid hba line or extension.
[[nodiscard]] Result<void> prepare(const config::Configuration& configuration, const ResolvedDatabase& database,
                                   const Report& report);

}  // namespace slipway::database::postgres
