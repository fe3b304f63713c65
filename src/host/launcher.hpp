#pragma once
// Starts processes through Boost.Process v2, with a launcher that returns as soon as the fork is done: the parent never
// waits for the exec. Each child leads its own process group, with default signal dispositions and an empty mask.

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "host/accounts.hpp"
#include "host/capabilities.hpp"
#include "host/child_table.hpp"
#include "host/signals.hpp"

namespace slipway::host {

/// `parent` stays open in this process; the child finds it under the number `child`.
struct InheritedDescriptor {
  int child = -1;
  int parent = -1;
};

/// A limit of setrlimit(2). -1: unlimited.
struct ResourceLimit {
  int resource = 0;
  std::int64_t soft = -1;
  std::int64_t hard = -1;
};

/// Where a child belongs. As the leader of a session it takes standard input as its controlling terminal, if it can.
enum class Placement { kOwnGroup, kOwnSession, kParentsGroup };

/// Everything a child is made of. Descriptors are borrowed for the duration of the call; -1 is /dev/null.
struct Launch {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  ///< all of it, as NAME=value; nothing of ours is added but HOME, USER, LOGNAME
  std::string user;                      ///< see resolve_identity(); empty: as this process
  std::string group;
  std::vector<std::string> supplementary_groups;
  std::string working_dir;  ///< empty: this process's
  std::optional<unsigned> umask;
  std::vector<ResourceLimit> limits;
  std::optional<int> nice;           ///< absolute: -20 to 19
  std::optional<int> oom_score_adj;  ///< -1000 to 1000
  CapabilityRequest capabilities;
  bool no_new_privileges = false;
  int stdin_fd = -1;
  int stdout_fd = -1;
  int stderr_fd = -1;
  std::vector<InheritedDescriptor> descriptors;  ///< child numbers from 3 on
  std::string pid_variable;                      ///< a variable to hold the child's own pid; empty: none
  bool keep_descriptors = false;  ///< also those that this process inherited itself without close-on-exec
  Placement placement = Placement::kOwnGroup;
  bool foreground = false;             ///< give the terminal on standard input to the child's group
  std::optional<SignalState> signals;  ///< unset: an empty mask, and the default for every signal
};

/// Why no process exists. `retryable`: EAGAIN, ENOMEM and their kind, which pass.
struct SpawnError {
  std::string message;
  bool retryable = false;
};

class Launcher {
 public:
  /// The table must outlive the launcher.
  explicit Launcher(ChildTable& children);

  /// Forks and returns the child's pid, which is also its process group unless it is placed in the parent's. The child
  /// is in the table before this returns. Failures after the fork (a missing program, a wrong directory, a user we may
  /// not become) arrive at `on_exit` as ExitStatus::kNotStarted. With `user` set, HOME, USER and LOGNAME are added
  /// where the environment does not have them. Errors: the command is not in the child's PATH, an unknown user or
  /// group, a capability that this process cannot give or take away, fork(2) refused.
  [[nodiscard]] tl::expected<int, SpawnError> launch(const Launch& launch, ChildTable::ExitHandler on_exit,
                                                     ChildTable::GroupGoneHandler on_group_gone = {});

 private:
  ChildTable* children_;
};

/// The PATH of an environment, or what execvp(3) falls back to.
[[nodiscard]] std::string search_path(const std::vector<std::string>& environment);

/// Why there is no program of a name: ENOENT, or EACCES for a directory or a file without execute permission.
struct ProgramError {
  std::string message;
  int error = 0;
};

/// Finds argv[0] as execvp(3) would, in `path` (a PATH value), relative entries taken from `working_dir`. A name with a
/// slash is returned as it is. Errors: not found; found only as a directory or without execute permission.
[[nodiscard]] tl::expected<std::string, ProgramError> find_program(const std::string& name, const std::string& path,
                                                                   const std::string& working_dir);

/// kill(2) for one process, or for its group. A target that is gone is not an error.
void send_signal(int pid, int signal, bool group);

}  // namespace slipway::host
