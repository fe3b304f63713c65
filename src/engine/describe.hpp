#pragma once
// Short texts about what happened, for reports and reasons.

#include <string>

#include "engine/messages.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

/// "TERM", "KILL"; "signal 42" for one without a well-known name.
[[nodiscard]] std::string signal_name(int signal);
/// "exited with code 3", "killed by SEGV", "could not be started: execve ...".
[[nodiscard]] std::string describe(const ExitStatus& status);
/// "250ms", "1.5s", "2m30s".
[[nodiscard]] std::string describe(Duration duration);
[[nodiscard]] const char* describe(config::Condition condition);
/// "service", "oneshot", "scheduled".
[[nodiscard]] const char* describe(UnitKind kind);

/// The number a shell would show: the exit code, or 128 + n for signal n; 80 when no process came to exist.
[[nodiscard]] int own_code(const ExitStatus& status);
/// Listed in success_exit_status, where 128 + n stands for signal n.
[[nodiscard]] bool is_success(const UnitSpec& spec, const ExitStatus& status);
/// What giving up on the unit gives the container, never 0. `status` is null when its processes ended because Slipway
/// ended them (a start that took too long, a failed health check), or when there were none.
[[nodiscard]] int failure_code(const UnitSpec& spec, const ExitStatus* status);

}  // namespace slipway::engine
