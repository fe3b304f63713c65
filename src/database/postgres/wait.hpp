#pragma once
// Waits for a server to be really usable: an authenticated SELECT 1 on the wanted database as the wanted role.

#include "config/configuration.hpp"
#include "database/postgres/connection.hpp"

namespace slipway::database::postgres {

/// Tries until it works, until a final error, or until `wait.timeout` has passed since the call; between attempts
/// `wait.interval`, shorter at first where the server is local. Says every few seconds what it waits for and why.
/// Errors: timeout is 69 and names the hosts and the last error; final errors as ConnectFailure says, at once.
[[nodiscard]] Result<Connection> wait_until_ready(const ConnectionParameters& parameters,
                                                  const config::PostgresWait& wait, const Report& report);

}  // namespace slipway::database::postgres
