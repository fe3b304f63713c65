#pragma once
// pg_hba.conf and pg_ident.conf as texts: who may connect while the server is provisioned, and afterwards. Pure.

#include <string>
#include <vector>

#include "config/error.hpp"

namespace slipway::database::postgres {

/// Only the operating system users of `ident_map` over a local socket; everybody else is rejected explicitly.
[[nodiscard]] std::string provisioning_rules();

/// The user's lines first, then Slipway's own line for `superuser`, then scram-sha-256 for everybody.
[[nodiscard]] std::string final_rules(const std::vector<std::string>& user_lines, const std::string& superuser);

/// The map "slipway": each operating system user may be each role. Names that a line cannot hold are left out.
[[nodiscard]] std::string ident_map(const std::vector<std::string>& peers, const std::vector<std::string>& roles);

/// Can `name` be written in these files (no line breaks, no leading slash, which would start a regular expression)?
[[nodiscard]] bool expressible(const std::string& name);

/// A word of these files, in double quotes.
[[nodiscard]] std::string quoted_word(const std::string& word);

/// A value of postgresql.conf, in single quotes; line breaks and backslashes are escaped.
[[nodiscard]] std::string quoted_setting(const std::string& value);

}  // namespace slipway::database::postgres
