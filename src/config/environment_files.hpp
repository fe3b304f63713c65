#pragma once
// Dotenv files, and what Slipway writes before anything starts: `environment_output` and `templates`. Those two
// are replaced atomically: at any instant, and after a crash, a reader finds the old file or the whole new one.
// Errors name the path and the system's reason, never a value.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::config {

/// The text of a dotenv file that Slipway's own reader and python-dotenv read back to exactly `variables`.
[[nodiscard]] std::string format_dotenv(const StringMap& variables);

/// Reads a dotenv file (a worker's `env_file`). Errors: kConfiguration, `file:line:column: ...` or why it cannot be
/// read.
[[nodiscard]] Result<StringMap> read_env_file(const std::string& path);

/// Writes `variables` (Loaded::source_environment) to `path`, mode 0600, owned by the caller.
/// Creates no directories. Errors: kConfiguration, or kPermission when access was refused.
[[nodiscard]] Result<void> write_environment_output(const std::string& path, const StringMap& variables);

/// Renders every template: `${VAR}` as in the configuration, from `environment` (Loaded::environment).
/// Stops at the first failure; the error reads `file:line:column: ...` where the text is at fault.
[[nodiscard]] Result<void> render_templates(const std::vector<Template>& templates, const StringMap& environment);

}  // namespace slipway::config
