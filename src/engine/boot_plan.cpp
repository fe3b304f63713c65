#include "engine/boot_plan.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>
#include <utility>

#include "engine/unit_graph.hpp"

namespace slipway::engine {
namespace {

using std::chrono::seconds;

constexpr std::array<std::string_view, 4> kDatabaseUnits{"initdb", "postgres", "database", "migrate"};
constexpr unsigned kMostReplicas = 10'000;
constexpr Duration kStartTimeout = std::chrono::seconds(60);
constexpr Duration kPreStartTimeout = std::chrono::seconds(60);
constexpr Duration kPostStopTimeout = std::chrono::seconds(10);

bool is_database_unit(std::string_view name) {
  return std::find(kDatabaseUnits.begin(), kDatabaseUnits.end(), name) != kDatabaseUnits.end();
}

UnitDraft built_in(std::string name, UnitKind kind, std::vector<std::string> argv) {
  UnitDraft draft;
  draft.spec.worker = std::move(name);
  draft.spec.kind = kind;
  draft.spec.built_in = true;
  draft.spec.launch.argv = std::move(argv);
  return draft;
}

/// slipway-db: its documented codes are the container's; a crash or an unknown code becomes `code`. It keeps its own
/// time limits, which say what they waited for.
UnitDraft database_unit(const BootInputs& inputs, std::string name, std::string command, ExitCode code) {
  UnitDraft draft = built_in(std::move(name), UnitKind::kOneshot, {inputs.database_program, std::move(command)});
  draft.spec.failure = FailureCode::kDocumented;
  draft.spec.failure_code = code;
  draft.spec.stop_sequence = {{config::Signal{SIGTERM}, seconds(30)}};
  return draft;
}

/// Fast shutdown first, which ends sessions and writes everything down; immediate shutdown needs recovery and is the
/// last resort (PostgreSQL manual, "Shutting Down the Server"). To the postmaster alone: it tells its children.
UnitDraft server_unit(const BootInputs& inputs) {
  UnitDraft draft = database_unit(inputs, "postgres", "server", ExitCode::kDatabaseUnavailable);
  draft.spec.kind = UnitKind::kService;
  draft.spec.stop_sequence = {{config::Signal{SIGINT}, seconds(60)}, {config::Signal{SIGQUIT}, seconds(10)}};
  draft.spec.kill_mode = config::KillMode::kProcess;
  draft.spec.restart.when = config::Restart::kOnFailure;
  draft.dependencies = {{"initdb", config::Condition::kCompleted, true}};
  return draft;
}

bool has_database(const config::Configuration& configuration) {
  return configuration.database.backend != config::Backend::kNone;
}

bool is_local(const config::Configuration& configuration) {
  return configuration.database.backend == config::Backend::kPostgres && configuration.database.postgres.local;
}

bool migrates(const config::Configuration& configuration) {
  return configuration.migrations.on_startup && config::has_migrations(configuration.migrations);
}

bool may_fail_migration(const config::Configuration& configuration) {
  return configuration.migrations.on_failure == config::MigrationFailure::kContinue;
}

UnitDraft migrate_unit(const BootInputs& inputs) {
  UnitDraft draft = database_unit(inputs, "migrate", "migrate", ExitCode::kMigrationFailed);
  draft.spec.markers_on_success = {Marker::kMigrateDone};
  draft.spec.critical = !may_fail_migration(inputs.configuration);
  draft.spec.launch.environment = inputs.exports;
  if (has_database(inputs.configuration)) draft.dependencies = {{"database", config::Condition::kCompleted, true}};
  return draft;
}

void add_database_units(const BootInputs& inputs, std::vector<UnitDraft>& drafts) {
  const config::Configuration& configuration = inputs.configuration;
  if (is_local(configuration)) {
    drafts.push_back(database_unit(inputs, "initdb", "initdb", ExitCode::kClusterRefused));
    drafts.push_back(server_unit(inputs));
  }
  if (has_database(configuration)) {
    UnitDraft draft = database_unit(inputs, "database", "prepare", ExitCode::kDatabaseUnavailable);
    draft.spec.markers_on_success = {Marker::kDatabaseReady};
    if (is_local(configuration)) draft.dependencies = {{"postgres", config::Condition::kStarted, true}};
    drafts.push_back(std::move(draft));
  }
  if (migrates(configuration)) drafts.push_back(migrate_unit(inputs));
}

bool contains(const std::vector<UnitDraft>& drafts, std::string_view name) {
  return std::any_of(drafts.begin(), drafts.end(), [&](const UnitDraft& draft) { return draft.spec.worker == name; });
}

/// `built_ins` are the database's units of this boot. A name of one that this boot has not (other backend, no
/// migrations) stands for the nearest one before it, or for nothing: the same file serves every environment.
void add_database_dependency(const config::Configuration& configuration, const std::vector<UnitDraft>& built_ins,
                             std::string_view name, bool required, std::vector<NamedDependency>& dependencies) {
  if (name == "migrate" && !contains(built_ins, name)) name = "database";
  if (!contains(built_ins, name)) return;
  // A oneshot that merely began says nothing about the database; "depends on migrate" means that it is done.
  const auto condition = name == "postgres" ? config::Condition::kStarted : config::Condition::kCompleted;
  if (name == "migrate" && may_fail_migration(configuration)) required = false;
  dependencies.push_back({std::string(name), condition, required});
}

std::vector<NamedDependency> worker_dependencies(const config::Configuration& configuration,
                                                 const std::vector<UnitDraft>& built_ins,
                                                 const std::map<std::string, config::Dependency>& depends_on) {
  std::vector<NamedDependency> dependencies;
  if (!depends_on.contains("migrate") && !depends_on.contains("database")) {
    add_database_dependency(configuration, built_ins, "migrate", true, dependencies);
  }
  for (const auto& [name, dependency] : depends_on) {
    if (is_database_unit(name) && !configuration.workers.contains(name)) {
      add_database_dependency(configuration, built_ins, name, dependency.required, dependencies);
    } else {
      dependencies.push_back({name, dependency.condition, dependency.required});
    }
  }
  return dependencies;
}

RestartPolicy restart_policy(const config::Worker& worker) {
  const auto usual = worker.type == config::WorkerType::kService ? config::Restart::kOnFailure : config::Restart::kNo;
  RestartPolicy policy;
  policy.when = worker.restart.value_or(usual);
  policy.delay = worker.restart_delay;
  policy.max_delay = worker.restart_max_delay;
  policy.backoff = worker.restart_backoff;
  policy.jitter = worker.restart_jitter;
  policy.start_limit_burst = worker.start_limit_burst;
  policy.start_limit_interval = worker.start_limit_interval;
  return policy;
}

LaunchSpec launch_of(const config::Worker& worker, const config::StringMap& exports) {
  LaunchSpec launch;
  launch.argv = worker.command.argv;
  launch.user = worker.user;
  launch.group = worker.group;
  launch.supplementary_groups = worker.supplementary_groups;
  launch.working_dir = worker.working_dir;
  if (worker.umask) launch.umask = worker.umask->bits;
  launch.ulimits = worker.ulimits;
  launch.nice = worker.nice;
  launch.oom_score_adj = worker.oom_score_adj;
  launch.cap_add = worker.cap_add;
  launch.cap_drop = worker.cap_drop;
  launch.no_new_privileges = worker.no_new_privileges;
  launch.environment = worker.environment;
  launch.environment.insert(exports.begin(), exports.end());  // what the worker sets itself wins
  launch.env_files = worker.env_file;
  return launch;
}

std::optional<HookSpec> hook_of(const std::optional<config::Hook>& hook, Duration usual) {
  if (!hook) return std::nullopt;
  return HookSpec{hook->command.argv, hook->timeout.value_or(usual)};
}

UnitKind kind_of(config::WorkerType type) {
  switch (type) {
    case config::WorkerType::kService:
      return UnitKind::kService;
    case config::WorkerType::kOneshot:
      return UnitKind::kOneshot;
    case config::WorkerType::kScheduled:
      break;
  }
  return UnitKind::kScheduled;
}

Result<UnitDraft> worker_unit(const std::string& name, const config::Worker& worker, const config::StringMap& exports) {
  if (worker.replicas > kMostReplicas) {
    return failure(ExitCode::kConfiguration, "workers." + name + ".replicas: " + std::to_string(worker.replicas) +
                                                 " is too many: " + std::to_string(kMostReplicas) + " at most");
  }
  UnitDraft draft;
  UnitSpec& spec = draft.spec;
  spec.worker = name;
  spec.replicas = std::max(worker.replicas, 1U);
  spec.enabled = worker.enabled && worker.replicas > 0;
  spec.kind = kind_of(worker.type);
  if (spec.kind == UnitKind::kScheduled) {
    spec.schedule = worker.schedule;
    spec.replicas = worker.schedule->overlap == config::Overlap::kAllow ? worker.schedule->max_runs : 1;
  }
  spec.restart = restart_policy(worker);
  spec.ready = worker.ready;
  spec.healthcheck = worker.healthcheck;
  spec.watchdog = worker.watchdog;
  const Duration usual = spec.kind == UnitKind::kService ? kStartTimeout : Duration::zero();
  spec.start_timeout = worker.start_timeout.value_or(usual);
  spec.stop_sequence = worker.stop_sequence;
  if (spec.stop_sequence.empty()) spec.stop_sequence = {{worker.stop_signal, worker.stop_grace_period}};
  spec.kill_mode = worker.kill_mode;
  spec.pre_start = hook_of(worker.pre_start, kPreStartTimeout);
  spec.stop_command = hook_of(worker.stop_command, worker.stop_grace_period);
  spec.post_stop = hook_of(worker.post_stop, kPostStopTimeout);
  spec.success_exit_status = worker.success_exit_status;
  spec.critical = worker.critical;
  spec.reload_signal = worker.reload_signal;
  spec.launch = launch_of(worker, exports);
  spec.logging = worker.logging;
  return draft;
}

UnitDraft http_unit(const BootInputs& inputs) {
  UnitDraft draft = built_in("http", UnitKind::kService, {inputs.web_program});
  // No user here: slipway-web connects to the control socket and binds first, and then becomes http.user by itself.
  draft.spec.restart.when = config::Restart::kAlways;
  draft.spec.critical = false;
  return draft;
}

UnitDraft main_unit(const BootInputs& inputs) {
  UnitDraft draft = built_in("main", UnitKind::kService, inputs.main_command);
  draft.spec.ends_container = true;
  draft.spec.forwards_signals = true;
  draft.spec.launch.environment = inputs.exports;
  return draft;
}

Result<std::vector<UnitDraft>> all_drafts(const BootInputs& inputs) {
  const config::Configuration& configuration = inputs.configuration;
  std::vector<UnitDraft> drafts;
  add_database_units(inputs, drafts);
  const std::vector<UnitDraft> database_units = drafts;
  for (const auto& [name, worker] : configuration.workers) {
    Result<UnitDraft> draft = worker_unit(name, worker, inputs.exports);
    if (!draft) return tl::unexpected(draft.error());
    draft->dependencies = worker_dependencies(configuration, database_units, worker.depends_on);
    const auto read = inputs.launch_inputs.find(name);
    if (read != inputs.launch_inputs.end()) draft->spec.launch.inputs = read->second;
    drafts.push_back(std::move(*draft));
  }
  if (!configuration.http.listen.empty()) drafts.push_back(http_unit(inputs));
  if (!inputs.main_command.empty()) {
    UnitDraft draft = main_unit(inputs);
    draft.dependencies = worker_dependencies(configuration, database_units, {});
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

}  // namespace

Result<Plan> build_plan(const BootInputs& inputs) {
  const auto drafts = all_drafts(inputs);
  if (!drafts) return tl::unexpected(drafts.error());
  auto units = order_units(*drafts);
  if (!units) return tl::unexpected(units.error());
  Plan plan;
  plan.units = std::move(*units);
  plan.shutdown_timeout = inputs.configuration.shutdown.timeout;
  const std::string& from = inputs.configuration.shutdown.exit_code_from;
  if (from.empty()) return plan;
  for (std::size_t i = 0; i < plan.units.size() && !plan.exit_code_from; ++i) {
    if (plan.units[i].worker == from || plan.units[i].name == from) plan.exit_code_from = static_cast<UnitId>(i);
  }
  if (plan.exit_code_from) return plan;
  return failure(ExitCode::kConfiguration,
                 "shutdown.exit_code_from: there is no worker '" + from + "': name a worker of this file");
}

}  // namespace slipway::engine
