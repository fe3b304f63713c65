#pragma once
// The small languages that PostgreSQL's client side wants its settings in. Pure, without libpq, because PID 1's
// program writes them too; tests read the results back with libpq itself.

#include <string>
#include <string_view>
#include <vector>

namespace slipway::database {

/// An SQL identifier in double quotes, always: mixed case, hyphens, keywords and quotes survive.
[[nodiscard]] std::string quote_identifier(std::string_view name);

/// One value of a conninfo string (`key='value'`): quotes and backslashes escaped.
[[nodiscard]] std::string quote_conninfo(std::string_view value);

/// One word of `options` (PGOPTIONS): blanks and backslashes escaped by a backslash.
[[nodiscard]] std::string escape_option(std::string_view word);

/// `options` split as the server splits it (pg_split_opts).
[[nodiscard]] std::vector<std::string> split_options(std::string_view options);

/// The elements of a search_path: quotes undone, unquoted names folded to lower case. Empty when it is malformed.
[[nodiscard]] std::vector<std::string> split_search_path(std::string_view text);

/// True for a keyword that PQconninfoParse knows in every supported libpq (13 and later).
[[nodiscard]] bool is_libpq_keyword(std::string_view key);

}  // namespace slipway::database
