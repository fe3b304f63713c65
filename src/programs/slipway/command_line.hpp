#pragma once
// From argv to an exit code.

namespace slipway::program {

/// Usage errors end with 64 and a hint on standard error. `run` takes a short way: it is on every container's path
/// from exec to its first worker, so the other subcommands are not even registered for it.
[[nodiscard]] int command_line(int argc, const char* const* argv);

}  // namespace slipway::program
