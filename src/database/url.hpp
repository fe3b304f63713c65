#pragma once
// Database URLs as SQLAlchemy, libpq, Django's parsers and hosted providers write them, taken apart and decoded.
// Pure. No error text ever repeats a part of a URL that might be a password.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::database {

/// A host as written in a URL or in the configuration; empty parts were not given.
struct HostPort {
  std::string host;
  std::string port;
  bool operator==(const HostPort&) const = default;
};

/// All parts percent-decoded. An empty optional was not in the URL at all, which is not the same as empty.
struct DatabaseUrl {
  std::string scheme;  ///< as written, with its driver suffix
  config::Backend backend = config::Backend::kNone;
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::vector<HostPort> hosts;
  std::optional<std::string> path;  ///< database name, or the SQLite file
  std::vector<std::pair<std::string, std::string>> parameters;
};

/// Errors (78): unknown scheme, malformed escape, port out of range, a character that must be escaped.
[[nodiscard]] Result<DatabaseUrl> parse_url(std::string_view url);

/// Everything but letters, digits and `-._~` as %XX (RFC 3986, unreserved), which every reader of URLs undoes.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// Fails on a `%` without two hexadecimal digits and on %00. A plus sign stays a plus sign, as in libpq.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text, std::string_view what);

}  // namespace slipway::database
