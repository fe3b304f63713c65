#pragma once
// Tells failures to connect that waiting may cure from those it cannot.

#include <string>
#include <string_view>

#include "database/postgres/connection.hpp"

namespace slipway::database::postgres {

/// `text` is libpq's message for one attempt at verbosity PQERRORS_VERBOSE, where a server's own words carry their
/// SQLSTATE; with several hosts the last one decides, because libpq stops at the first failure that is final.
/// `where` begins the message ("db:5432/app as app").
[[nodiscard]] ConnectFailure classify_connect_failure(const std::string& where, std::string_view text);

/// The server's words without location lines, and on one line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace slipway::database::postgres
