#pragma once
// Engine values in words, for status, logs and markers: one place, so that all three say the same.

#include <optional>
#include <string>

#include "control/snapshot.hpp"
#include "engine/engine.hpp"

namespace slipway::supervisor {

/// "exit 3", "killed by SIGKILL", "not started: execve /bin/x: No such file or directory".
[[nodiscard]] std::string describe(const engine::ExitStatus& status);

/// The code a shell would report: the exit code, 128+n for a signal, 127 for what never began.
[[nodiscard]] int shell_code(const engine::ExitStatus& status);

/// How a unit becomes ready: "tcp 127.0.0.1:8000", "sd_notify"; empty when its process running is all there is.
[[nodiscard]] std::string describe_readiness(const engine::UnitSpec& spec);

/// A unit's row for the control socket; `now` and `time_of_day` are the same moment.
[[nodiscard]] control::UnitStatus to_status(const engine::UnitSpec& spec, const engine::UnitView& view,
                                            engine::Instant now, std::chrono::system_clock::time_point time_of_day);

}  // namespace slipway::supervisor
