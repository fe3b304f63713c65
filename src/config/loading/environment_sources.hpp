#pragma once
// `environment_sources`: dotenv files, JSON files and base64 JSON become variables.

#include <string>
#include <string_view>

#include "config/document/problems.hpp"
#include "config/loader.hpp"
#include "config/loading/binder.hpp"

namespace slipway::config {

/// A dotenv text: NAME=value, `export` before it, comments, single quotes (literal, \' and \\ only), double quotes
/// (escapes, several lines). `${...}` is not expanded: values are often secrets. `file` is the index of add_file.
[[nodiscard]] StringMap parse_dotenv(std::string_view text, int file, Problems& problems);

/// One JSON object of scalars: numbers and booleans keep their text, null means unset.
[[nodiscard]] StringMap parse_json_variables(std::string_view text, int file, Problems& problems);

/// Standard or URL-safe alphabet, padding optional, white space ignored. Nothing: it is not base64.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

/// Reads every source in order; later ones win. Relative paths start at the request's working directory.
[[nodiscard]] StringMap read_environment_sources(const std::vector<EnvironmentSource>& sources,
                                                 const LoadRequest& request, const Places& places, Problems& problems);

}  // namespace slipway::config
