#pragma once
// What an operator sees of a running Slipway: plain values, filled in by the supervisor, carried by the protocol, read
// by the command line and by slipway-web. Words, not numbers, wherever a person or a script reads them.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace slipway::control {

enum class ContainerState {
  kBooting,   ///< not everything has been up yet
  kReady,     ///< every enabled service is up and every oneshot succeeded
  kDegraded,  ///< was ready once and is not now
  kStopping,  ///< the container's stop has begun
};

[[nodiscard]] const char* to_string(ContainerState state);

struct ContainerStatus {
  std::string name;
  ContainerState state = ContainerState::kBooting;
  bool ready = false;
  bool migrated = false;  ///< this boot's migration succeeded, or none is configured
  std::string boot_id;
  std::string version;
  int pid = 0;                          ///< of the supervising process
  std::chrono::milliseconds uptime{0};  ///< since this boot began
  std::string config_source;            ///< a path or a variable's name; empty: no configuration
};

/// How a unit's last process ended.
struct LastExit {
  std::string text;  ///< "exit 3", "killed by SIGKILL", "not started: execve /bin/x: No such file or directory"
  int code = 0;      ///< as a shell would say it: the exit code, 128+n for a signal, 127 if it never began
};

struct UnitStatus {
  std::string name;    ///< web[1]
  std::string worker;  ///< web
  std::string kind;    ///< service, oneshot or scheduled
  std::string state;   ///< engine::to_string(UnitState): inactive, scheduled, waiting, starting, running, ready,
                       ///< unhealthy, backoff, stopping, exited, failed, skipped
  int pid = 0;         ///< 0: no process
  std::chrono::milliseconds since{0};  ///< how long it has been in this state
  unsigned restarts = 0;
  std::optional<LastExit> last_exit;
  std::string reason;      ///< why it waits, failed or was skipped; empty otherwise
  std::string status;      ///< what it said of itself (sd_notify, STATUS=); empty when nothing
  bool reloading = false;  ///< it said that it reads its configuration again
  std::string ready_by;    ///< how it becomes ready, in words; empty: when its process runs
  // Of a scheduled job; of several instances, the first one tells.
  std::optional<std::chrono::system_clock::time_point> next_run;
  std::optional<std::chrono::system_clock::time_point> last_run;  ///< when it began
  unsigned skipped_runs = 0;                                      ///< due runs of this boot that did not take place
  bool built_in = false;
  bool enabled = true;
};

struct Snapshot {
  ContainerStatus container;
  std::vector<UnitStatus> units;  ///< in the plan's order
};

/// Nothing runs and nothing is scheduled.
[[nodiscard]] bool is_final(const UnitStatus& unit);

/// One line for a person: why the container is not ready. Empty when it is.
[[nodiscard]] std::string why_not_ready(const Snapshot& snapshot);

}  // namespace slipway::control
