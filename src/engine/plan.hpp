#pragma once
// The boot as data: units and the edges between them. A plan is built from the configuration (boot_plan.hpp), in an
// order in which every unit follows its dependencies. A reload replaces it by another one; units keep their ids then
// (reconcile.hpp), so the plan in force may have free slots and its units may be in any order.
//
// Everything here compares with a defaulted operator==: whatever is added takes part in what a reload calls a change.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/exit_code.hpp"

namespace slipway::engine {

using config::Duration;

/// Index into Plan::units. One id per instance: `web` with four replicas is four units. An instance keeps its id for
/// as long as it is part of the plan.
enum class UnitId : std::uint32_t {};
constexpr std::size_t index(UnitId unit) { return static_cast<std::size_t>(unit); }

enum class UnitKind { kService, kOneshot, kScheduled };

/// The files whose presence is a signal to others.
enum class Marker { kDatabaseReady, kMigrateDone, kReady, kFailed };

struct UnitDependency {
  UnitId unit{};
  config::Condition condition = config::Condition::kStarted;
  /// False: a dependency that failed, was skipped or is disabled does not hold the unit back.
  bool required = true;
  bool operator==(const UnitDependency&) const = default;
};

struct RestartPolicy {
  config::Restart when = config::Restart::kNo;
  Duration delay = std::chrono::milliseconds(100);
  Duration max_delay = std::chrono::seconds(30);
  double backoff = 2;
  double jitter = 0.1;  ///< each delay is multiplied by a random factor in [1 - jitter, 1 + jitter]
  unsigned start_limit_burst = 5;
  Duration start_limit_interval = std::chrono::seconds(60);
  bool operator==(const RestartPolicy&) const = default;
};

/// Which number a unit's failure gives the container.
enum class FailureCode {
  kOwn,         ///< the process's own code, 128+n for a signal, 80 when it has none
  kDocumented,  ///< a code of ExitCode passes through; anything else becomes `failure_code`
};

/// What a process reads besides its own settings, as digests: other contents are another definition. Empty for built-in
/// units, which are not restarted for them.
struct LaunchInputs {
  std::string environment;  ///< of the variables common to all units
  std::string env_files;
  std::string templates;  ///< rendered files and environment_output, whoever reads them
  bool operator==(const LaunchInputs&) const = default;
};

/// What the host executes. The engine only carries it.
struct LaunchSpec {
  std::vector<std::string> argv;
  std::string user;  ///< empty: as Slipway itself
  std::string group;
  std::vector<std::string> supplementary_groups;
  std::string working_dir;
  std::optional<unsigned> umask;
  std::map<std::string, config::Ulimit> ulimits;
  std::optional<int> nice;
  std::optional<int> oom_score_adj;
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  bool no_new_privileges = false;
  config::StringMap environment;  ///< on top of the environment common to all units
  std::vector<std::string> env_files;
  LaunchInputs inputs;
  bool operator==(const LaunchSpec&) const = default;
};

/// A command beside the unit's own process, run with its identity, directory and environment.
enum class HookKind {
  kPreStart,     ///< before each start, which happens only when it succeeds
  kStopCommand,  ///< before the first signal of a stop
  kPostStop,     ///< after each end
};

struct HookSpec {
  std::vector<std::string> argv;
  Duration timeout = std::chrono::seconds(60);  ///< then TERM, and KILL a second later
  bool operator==(const HookSpec&) const = default;
};

struct UnitSpec {
  std::string name;    ///< `web`, or `web[0]` when there is more than one replica
  std::string worker;  ///< the configured name all replicas share
  unsigned replica = 0;
  unsigned replicas = 1;
  UnitKind kind = UnitKind::kService;
  bool built_in = false;
  bool enabled = true;
  bool removed = false;  ///< a free slot: a reload took this unit away, and nothing starts it
  std::vector<UnitDependency> dependencies;
  RestartPolicy restart;
  std::optional<config::Readiness> ready;
  std::optional<config::HealthCheck> healthcheck;
  Duration start_timeout{0};                        ///< service: until ready; others: until finished; 0: no limit
  Duration watchdog{0};                             ///< the longest pause between two WATCHDOG=1; 0: none
  std::vector<config::StopStep> stop_sequence{{}};  ///< KILL follows the last wait
  config::KillMode kill_mode = config::KillMode::kGroup;
  std::optional<HookSpec> pre_start;
  std::optional<HookSpec> stop_command;
  std::optional<HookSpec> post_stop;
  std::vector<unsigned> success_exit_status{0};
  bool critical = true;           ///< giving up on it stops the container
  bool ends_container = false;    ///< its exit, good or bad, stops the container with its code
  bool forwards_signals = false;  ///< receives the container's signals as they are (`run -- CMD`)
  std::optional<config::Signal> reload_signal;
  FailureCode failure = FailureCode::kOwn;
  ExitCode failure_code = ExitCode::kWorkerFailed;
  std::vector<Marker> markers_on_success;
  /// Set for kScheduled, whose replicas are the runs that may live at the same time.
  std::optional<config::Schedule> schedule;
  LaunchSpec launch;
  config::WorkerLogging logging;
  bool operator==(const UnitSpec&) const = default;
};

struct Plan {
  std::vector<UnitSpec> units;  ///< dependencies come first, unless a reload put them into the slots of earlier ones
  Duration shutdown_timeout = std::chrono::seconds(120);
  std::optional<UnitId> exit_code_from;
  bool operator==(const Plan&) const = default;
};

}  // namespace slipway::engine
