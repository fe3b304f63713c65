#pragma once
// Finds, reads and checks the configuration: the only way from a file and an environment to a Configuration.
// Reads files and nothing else; starts nothing, writes nothing, keeps nothing. Same inputs, same result, so every
// program of one boot sees the same configuration.

#include <optional>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/document/text_file.hpp"
#include "config/error.hpp"

namespace slipway::config {

/// One problem. `line` and `column` count from 1; 0 where a problem has no place in a file.
struct Diagnostic {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;  ///< "stop_grace_period: expected a duration such as 10s, got \"ten\""
  bool operator==(const Diagnostic&) const = default;
};

/// `file:line:column: message`, without the parts that are absent.
[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

struct LoadRequest {
  std::string path;       ///< --config; empty: search as documented
  StringMap environment;  ///< the process's own variables
  std::string working_directory = ".";
  FileReader read_file = &read_text_file;
};

struct Loaded {
  Configuration configuration;
  /// What `${VAR}` saw and every process starts from: the environment sources below the container's own variables,
  /// the `environment` section on top.
  StringMap environment;
  /// The variables that `environment_sources` define, with the values that processes see: for `environment_output`.
  StringMap source_environment;
  /// Every value known to be secret, for redaction; none is empty.
  std::vector<std::string> secrets;
  std::string source;  ///< absolute path, or the variable's name; empty: no configuration was found
  std::string sha256;  ///< of the configuration's text, hexadecimal
};

struct LoadFailure {
  std::vector<Diagnostic> diagnostics;  ///< every problem, in file order; never empty
  /// The markers as far as they could be read, so that stale ones can be removed even then.
  Markers markers;
};

/// Reads everything in one go and reports every problem at once.
[[nodiscard]] tl::expected<Loaded, LoadFailure> load(const LoadRequest& request);

/// The calling process's environment, as LoadRequest wants it.
[[nodiscard]] StringMap process_environment();

}  // namespace slipway::config
