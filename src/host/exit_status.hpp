#pragma once
// How a child process ended, as the host saw it.

#include <string>

namespace slipway::host {

struct ExitStatus {
  enum class Kind {
    kExited,      ///< `value` is the exit code
    kSignaled,    ///< `value` is the signal number
    kNotStarted,  ///< fork succeeded, but the program never ran; `reason` says at which stage, `value` is the errno
  };
  Kind kind = Kind::kExited;
  int value = 0;
  std::string reason;
  [[nodiscard]] bool success() const { return kind == Kind::kExited && value == 0; }
  bool operator==(const ExitStatus&) const = default;
};

/// "exited with code 3", "killed by SIGKILL", or the reason it never started.
[[nodiscard]] std::string to_string(const ExitStatus& status);
/// "SIGTERM" for 15; "signal 99" for what has no name.
[[nodiscard]] std::string signal_name(int signal);

}  // namespace slipway::host
