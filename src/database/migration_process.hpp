#pragma once
// Runs one command of a migration to its end, as somebody else if need be. Synchronous, one at a time, in a program
// with one thread. No descendant outlives an interruption, a time limit, or our own death by SIGKILL (its parent-death
// signal ends the command; what that had started keeps `kept_descriptor`, and so the migration lock, until it ends).

#include <chrono>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "host/accounts.hpp"

namespace slipway::database {

struct ProcessRequest {
  std::vector<std::string> argv;
  config::StringMap environment;  ///< all of it
  host::Identity identity;        ///< as whom; used when we are root
  std::string working_dir;        ///< empty: ours
  std::chrono::steady_clock::time_point deadline;
  int kept_descriptor = -1;  ///< inherited by the command under the same number
  bool quiet = false;        ///< its output is kept but not passed on
};

struct ProcessOutcome {
  enum class Kind {
    kExited,
    kSignaled,
    kNotStarted,   ///< `reason` says what failed
    kTimedOut,     ///< ended by us at the deadline
    kInterrupted,  ///< ended by us because of the signal in `value`
  };
  Kind kind = Kind::kExited;
  int value = 0;  ///< exit code or signal
  std::string reason;
  std::string standard_output;          ///< at most the first MiB
  std::vector<std::string> last_lines;  ///< of standard error, or of standard output when that said nothing

  [[nodiscard]] bool succeeded() const { return kind == Kind::kExited && value == 0; }
  /// "exited with 1", "was killed by signal 9 (Killed)", ...
  [[nodiscard]] std::string describe() const;
};

/// Passes each line of the command's output on to our own standard output and error, whole lines at a time. While it
/// runs, TERM, INT, HUP and QUIT end the command (TERM to all our descendants, KILL ten seconds later) instead of us.
[[nodiscard]] ProcessOutcome run_process(const ProcessRequest& request);

}  // namespace slipway::database
