#pragma once
// Runs one of PostgreSQL's programs to its end: as another user, its output line by line to the operator, never
// outliving us. Synchronous, one at a time.

#include <optional>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/os_identity.hpp"
#include "database/postgres/report.hpp"

namespace slipway::database::postgres {

struct ChildRequest {
  std::vector<std::string> argv;  ///< argv[0] is an absolute path; no secrets
  /// On top of our own environment; an empty optional removes a variable.
  std::map<std::string, std::optional<std::string>> environment;
  std::optional<OsIdentity> identity;  ///< as whom; unset: as ourselves
  std::string working_directory = "/";
  int inherited = -1;  ///< a descriptor the child and its children keep
  Report output;       ///< each line of its stdout and stderr
};

struct ChildOutcome {
  int status = 0;                  ///< the exit code, 128+n for a signal
  std::vector<std::string> lines;  ///< the last lines of output, at most 200
  /// The last line that is not empty: usually the reason.
  [[nodiscard]] std::string last_line() const;
};

/// Errors: 70 when it cannot be started, 77 when the user cannot be changed. A child is killed when we die.
[[nodiscard]] Result<ChildOutcome> run_child(const ChildRequest& request);

}  // namespace slipway::database::postgres
