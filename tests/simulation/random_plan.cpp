#include "random_plan.hpp"

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/boot_plan.hpp"

namespace slipway::simulation {
namespace {

using namespace std::chrono_literals;
using config::Condition;
using config::Duration;
using engine::UnitSpec;

config::HealthCheck random_health(Random& random) {
  config::HealthCheck check;
  check.tcp = config::TcpProbe{"127.0.0.1", 80};
  check.interval = random.pick<Duration>({0ms, 100ms, 1s, 5s});
  check.timeout = random.pick<Duration>({0ms, 50ms, 1s});
  check.retries = random.below(4);
  check.start_period = random.pick<Duration>({0ms, 0ms, 1s, 10s});
  check.start_interval = random.pick<Duration>({50ms, 1s});
  check.on_failure = random.pick({config::HealthAction::kRestart, config::HealthAction::kRestart,
                                  config::HealthAction::kIgnore, config::HealthAction::kShutdown});
  return check;
}

std::optional<config::Readiness> random_readiness(Random& random) {
  config::Readiness ready;
  switch (random.below(5)) {
    case 2:
      ready.sd_notify = true;
      return ready;
    case 0:
      ready.tcp = config::TcpProbe{"127.0.0.1", 80};
      return ready;
    case 3:
      if (random.chance(50)) return std::nullopt;
      ready.log_line = "ready";
      return ready;
    case 1:
      ready.notify_fd = 3;
      return ready;
    default:
      return std::nullopt;
  }
}

Duration random_watchdog(Random& random) {
  return random.chance(25) ? random.pick<Duration>({300ms, 3s, 30s}) : Duration(0);
}

std::vector<config::StopStep> random_steps(Random& random) {
  std::vector<config::StopStep> steps;
  for (unsigned i = random.pick({0U, 1U, 1U, 1U, 2U, 3U}); i > 0; --i) {
    steps.push_back({config::Signal{random.pick({SIGTERM, SIGINT, SIGQUIT})}, random.pick<Duration>({0ms, 50ms, 3s})});
  }
  return steps;
}

std::optional<engine::HookSpec> random_hook(Random& random) {
  if (!random.chance(20)) return std::nullopt;
  return engine::HookSpec{{"hook"}, random.pick<Duration>({1ms, 50ms, 1s, 10s})};
}

config::Restart random_restart(Random& random) {
  return random.pick({config::Restart::kNo, config::Restart::kAlways, config::Restart::kOnFailure,
                      config::Restart::kOnFailure, config::Restart::kUnlessStopped});
}

engine::RestartPolicy random_policy(Random& random) {
  engine::RestartPolicy policy;
  policy.when = random_restart(random);
  policy.delay = random.pick<Duration>({0ms, 10ms, 100ms, 1s});
  policy.max_delay = random.pick<Duration>({5ms, 500ms, 30s});
  policy.backoff = random.pick({1.0, 2.0, 10.0});
  policy.jitter = random.pick({0.0, 0.1, 0.9});
  policy.start_limit_burst = random.pick({0U, 1U, 2U, 5U});
  policy.start_limit_interval = random.pick<Duration>({0ms, 1s, 10s, 60s});
  return policy;
}

void add_random_dependencies(Random& random, UnitSpec& spec, unsigned earlier) {
  for (unsigned i = 0; i < earlier; ++i) {
    if (!random.chance(30)) continue;
    const auto condition = random.pick({Condition::kStarted, Condition::kHealthy, Condition::kCompleted});
    spec.dependencies.push_back({static_cast<engine::UnitId>(i), condition, random.chance(75)});
  }
}

UnitSpec random_unit(Random& random, unsigned number) {
  UnitSpec spec;
  spec.name = spec.worker = "u" + std::to_string(number);
  spec.kind = random.chance(30) ? engine::UnitKind::kOneshot : engine::UnitKind::kService;
  spec.enabled = random.chance(95);
  add_random_dependencies(random, spec, number);
  spec.restart = random_policy(random);
  spec.ready = random_readiness(random);
  if (random.chance(30)) spec.healthcheck = random_health(random);
  spec.watchdog = random_watchdog(random);
  spec.start_timeout = random.pick<Duration>({0ms, 500ms, 5s, 60s});
  spec.stop_sequence = random_steps(random);
  spec.kill_mode = random.chance(70) ? config::KillMode::kGroup : config::KillMode::kProcess;
  spec.pre_start = random_hook(random);
  spec.stop_command = random_hook(random);
  spec.post_stop = random_hook(random);
  if (random.chance(20)) spec.success_exit_status = {0, 3, 143};
  spec.critical = random.chance(45);
  spec.ends_container = random.chance(4);
  spec.forwards_signals = random.chance(10);
  if (random.chance(20)) spec.reload_signal = config::Signal{SIGHUP};
  spec.failure = random.chance(70) ? engine::FailureCode::kOwn : engine::FailureCode::kDocumented;
  return spec;
}

engine::Plan random_graph(Random& random) {
  engine::Plan plan;
  const unsigned count = 1 + random.below(8);
  bool migrates = false;
  for (unsigned i = 0; i < count; ++i) {
    plan.units.push_back(random_unit(random, i));
    UnitSpec& spec = plan.units.back();
    if (spec.kind != engine::UnitKind::kOneshot || migrates) continue;
    spec.markers_on_success = {engine::Marker::kMigrateDone};
    migrates = true;
  }
  plan.shutdown_timeout = random.pick<Duration>({0ms, 1s, 20s, 120s});
  if (random.chance(15)) plan.exit_code_from = static_cast<engine::UnitId>(random.below(count));
  return plan;
}

config::Worker random_worker(Random& random, unsigned number) {
  config::Worker worker;
  worker.command.argv = {"worker"};
  worker.type = random.chance(20) ? config::WorkerType::kOneshot : config::WorkerType::kService;
  worker.replicas = 1 + random.below(3);
  for (unsigned i = 0; i < number; ++i) {
    if (random.chance(30)) worker.depends_on["w" + std::to_string(i)] = {Condition::kHealthy, random.chance(70)};
  }
  if (random.chance(20)) worker.depends_on["migrate"] = {Condition::kCompleted, true};
  worker.ready = random_readiness(random);
  if (random.chance(30)) worker.healthcheck = random_health(random);
  worker.watchdog = random_watchdog(random);
  if (random.chance(60)) worker.restart = random_restart(random);
  worker.critical = random.chance(50);
  worker.stop_sequence = random_steps(random);
  worker.kill_mode = random.chance(70) ? config::KillMode::kGroup : config::KillMode::kProcess;
  worker.start_limit_burst = random.below(6);
  const auto hook = [&random]() -> std::optional<config::Hook> {
    if (!random.chance(15)) return std::nullopt;
    return config::Hook{config::CommandLine{{"hook"}}, random.pick<Duration>({50ms, 5s})};
  };
  worker.pre_start = hook();
  worker.stop_command = hook();
  worker.post_stop = hook();
  return worker;
}

}  // namespace

engine::Plan random_boot_plan(Random& random, bool full) {
  config::Configuration configuration;
  if (full || random.chance(70)) configuration.database.backend = config::Backend::kPostgres;
  if (!full && random.chance(30)) configuration.database.backend = config::Backend::kSqlite;
  configuration.database.postgres.local = full || random.chance(50);
  if (full || random.chance(70)) configuration.migrations.command.argv = {"migrate"};
  if (!full && random.chance(30)) configuration.migrations.on_failure = config::MigrationFailure::kContinue;
  const unsigned workers = full ? 2 : random.below(4);
  for (unsigned i = 0; i < workers; ++i) {
    configuration.workers["w" + std::to_string(i)] = random_worker(random, i);
  }
  if (random.chance(30)) configuration.http.listen = "127.0.0.1:9180";
  configuration.shutdown.timeout = random.pick<Duration>({0ms, 5s, 120s});
  engine::BootInputs inputs{configuration, {}, "slipway-db", "slipway-web", {}};
  if (!full && random.chance(30)) inputs.main_command = {"main"};
  return engine::build_plan(inputs).value();
}

namespace {

/// The units of a plan in force as a fresh one lists them, without those of `left_out` and whatever names them.
engine::Plan compacted(const engine::Plan& running, const std::vector<bool>& left_out) {
  engine::Plan plan;
  plan.shutdown_timeout = running.shutdown_timeout;
  std::vector<std::optional<engine::UnitId>> ids(running.units.size());
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t i = 0; i < running.units.size(); ++i) {
      UnitSpec unit = running.units[i];
      if (ids[i] || left_out[i] || unit.removed) continue;
      const auto gone = [&](const auto& edge) {
        return left_out[engine::index(edge.unit)] || running.units[engine::index(edge.unit)].removed;
      };
      std::erase_if(unit.dependencies, gone);
      const auto placed = [&](const auto& edge) { return ids[engine::index(edge.unit)].has_value(); };
      if (!std::all_of(unit.dependencies.begin(), unit.dependencies.end(), placed)) continue;
      for (engine::UnitDependency& edge : unit.dependencies) edge.unit = *ids[engine::index(edge.unit)];
      ids[i] = static_cast<engine::UnitId>(plan.units.size());
      plan.units.push_back(std::move(unit));
      moved = true;
    }
  }
  if (running.exit_code_from) plan.exit_code_from = ids[engine::index(*running.exit_code_from)];
  return plan;
}

void change_somehow(Random& random, UnitSpec& unit) {
  switch (random.below(4)) {
    case 0:
      unit.launch.argv.push_back("another");
      break;
    case 1:
      unit.enabled = !unit.enabled;
      break;
    case 2:
      unit.launch.inputs.env_files += "x";
      break;
    default:
      unit.restart = random_policy(random);
      unit.ready = random_readiness(random);
      unit.critical = random.chance(30);
  }
}

}  // namespace

engine::Plan random_successor(Random& random, const engine::Plan& running) {
  if (random.chance(10)) return random_graph(random);
  std::vector<bool> left_out;
  for (std::size_t i = 0; i < running.units.size(); ++i) left_out.push_back(random.chance(15));
  engine::Plan plan = compacted(running, left_out);
  for (UnitSpec& unit : plan.units) {
    if (random.chance(25)) change_somehow(random, unit);
  }
  for (unsigned i = random.below(3); i > 0; --i) {
    const auto number = static_cast<unsigned>(plan.units.size());
    UnitSpec unit = random_unit(random, number);
    unit.name = unit.worker = "n" + std::to_string(random.below(6));
    const auto same_name = [&](const UnitSpec& other) { return other.worker == unit.worker; };
    if (std::none_of(plan.units.begin(), plan.units.end(), same_name)) plan.units.push_back(std::move(unit));
  }
  return plan;
}

engine::Plan random_plan(Random& random) {
  return random.chance(50) ? random_graph(random) : random_boot_plan(random, false);
}

}  // namespace slipway::simulation
