#pragma once
// `slipway db ...` is slipway-db: found beside this program, or in PATH.

#include <string>

namespace slipway::program {

/// Replaces this process. Returns only on failure, with the exit code: 70 when slipway-db is not there.
[[nodiscard]] int run_database_program(int argc, const char* const* argv);

/// Beside /proc/self/exe if it is there and may be executed; else the bare name, to be looked for in PATH.
[[nodiscard]] std::string program_beside(const std::string& name);

}  // namespace slipway::program
