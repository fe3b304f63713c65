#pragma once
// Where PostgreSQL's programs are.

#include <string>

#include "config/error.hpp"

namespace slipway::database::postgres {

struct Binaries {
  std::string directory;
  int major = 0;  ///< 15
  [[nodiscard]] std::string path(const std::string& program) const { return directory + "/" + program; }
};

/// The directory that holds `program`: `bin_dir` is "auto", a major version, or a directory. "auto" prefers the
/// version `wanted_major` (that of an existing cluster, 0 for none), then the newest under /usr/lib/postgresql, then
/// PATH. Errors: 78, naming what was looked for and where.
[[nodiscard]] Result<Binaries> find_binaries(const std::string& bin_dir, const std::string& program, int wanted_major);

}  // namespace slipway::database::postgres
