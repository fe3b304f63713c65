#pragma once
// The initdb command line, from the configuration and the locale of the environment.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::database::postgres {

/// `locale` as from usable_locale(). The user's arguments come last and win, except those that would break the
/// staging, the provisioning or a restart after a kill. Errors: 78 names such an argument.
[[nodiscard]] Result<std::vector<std::string>> initdb_command(const std::string& program, const std::string& directory,
                                                              const std::string& locale,
                                                              const std::vector<std::string>& user_arguments);

/// `lc_all`, else `lang` (null: unset), when that locale exists here and is UTF-8; otherwise C.UTF-8.
[[nodiscard]] std::string usable_locale(const char* lc_all, const char* lang);

}  // namespace slipway::database::postgres
