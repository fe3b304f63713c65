#include "programs/slipway/unit_words.hpp"

#include <algorithm>

#include "config/notation.hpp"
#include "config/words.hpp"
#include "engine/describe.hpp"

namespace slipway::program {
namespace {

std::string tcp_words(const config::TcpProbe& probe) {
  const bool v6 = probe.host.find(':') != std::string::npos;
  return "tcp " + (v6 ? "[" + probe.host + "]" : probe.host) + ":" + std::to_string(probe.port) + " accepts";
}

std::string http_words(const config::HttpProbe& probe) { return probe.url + " answers"; }

std::string file_words(const config::FileProbe& probe) {
  std::string text = "file " + probe.path;
  if (probe.max_age.count() > 0) return text + " is younger than " + config::format_duration(probe.max_age);
  return text + " exists";
}

std::string command_words(const config::CommandLine& command) {
  return "`" + config::join_command_line(command) + "` succeeds";
}

std::string probe_words(const config::Readiness& ready) {
  if (ready.notify_fd) return "it writes to descriptor " + std::to_string(*ready.notify_fd);
  if (ready.sd_notify) return "it says READY=1 (sd_notify)";
  if (!ready.log_line.empty()) return "it prints a line that matches " + ready.log_line;
  if (ready.tcp) return tcp_words(*ready.tcp);
  if (ready.http) return http_words(*ready.http);
  if (ready.file) return file_words(*ready.file);
  return command_words(ready.exec);
}

}  // namespace

std::vector<WorkerDependency> dependencies_of(const engine::Plan& plan, const engine::UnitSpec& unit) {
  std::vector<WorkerDependency> found;
  for (const engine::UnitDependency& dependency : unit.dependencies) {
    const std::string& worker = plan.units[engine::index(dependency.unit)].worker;
    const auto same = [&](const WorkerDependency& each) {
      return each.worker == worker && each.condition == dependency.condition;
    };
    if (std::none_of(found.begin(), found.end(), same)) {
      found.push_back({worker, dependency.condition, dependency.required});
    }
  }
  return found;
}

std::string kind_words(const engine::UnitSpec& unit) {
  std::string text = engine::describe(unit.kind);
  if (unit.built_in) text += ", built in";
  if (unit.replicas > 1 && unit.kind != engine::UnitKind::kScheduled)
    text += ", " + std::to_string(unit.replicas) + " replicas";
  if (!unit.enabled) text += ", disabled";
  return text;
}

std::string user_words(const config::Configuration& configuration, const engine::UnitSpec& unit) {
  if (!unit.launch.user.empty()) {
    return unit.launch.user + (unit.launch.group.empty() ? "" : ":" + unit.launch.group);
  }
  std::string dropped_to;
  if (unit.built_in && (unit.worker == "initdb" || unit.worker == "postgres")) {
    dropped_to = configuration.database.postgres.cluster.os_user;
  } else if (unit.built_in && unit.worker == "migrate") {
    dropped_to = configuration.migrations.user;
  } else if (unit.built_in && unit.worker == "http") {
    dropped_to = configuration.http.user;
  }
  const std::string own = "Slipway's own user";
  return dropped_to.empty() ? own : dropped_to + " (" + own + " if that is not root)";
}

std::string dependency_words(const engine::Plan& plan, const engine::UnitSpec& unit) {
  std::string text;
  for (const WorkerDependency& dependency : dependencies_of(plan, unit)) {
    text += (text.empty() ? "" : ", ") + dependency.worker + " (" + config::to_string(dependency.condition);
    text += dependency.required ? ")" : ", not required)";
  }
  return text;
}

std::string ready_words(const engine::UnitSpec& unit) {
  std::string text = "when it runs";
  if (unit.kind == engine::UnitKind::kScheduled) {
    text = "when a run has finished";
  } else if (unit.kind == engine::UnitKind::kOneshot) {
    text = "when it has finished";
  } else if (unit.ready) {
    text = "when " + probe_words(*unit.ready);
  } else if (unit.healthcheck) {
    text = "when its health check succeeds";
  }
  const bool timed = unit.kind != engine::UnitKind::kService || unit.ready || unit.healthcheck;
  if (timed && unit.start_timeout.count() > 0) text += ", within " + config::format_duration(unit.start_timeout);
  return text;
}

std::string schedule_words(const engine::UnitSpec& unit) {
  if (!unit.schedule) return {};
  const config::Schedule& schedule = *unit.schedule;
  std::string text = schedule.cron ? schedule.cron->text + " (" + schedule.timezone.name() + ")"
                                   : "every " + config::format_duration(*schedule.every);
  if (schedule.jitter.count() > 0) text += ", up to " + config::format_duration(schedule.jitter) + " later";
  if (schedule.run_at_boot) text += ", and at the boot";
  text += ", overlap: " + std::string(config::to_string(schedule.overlap));
  if (schedule.overlap == config::Overlap::kAllow) text += " up to " + std::to_string(schedule.max_runs);
  return text;
}

std::string health_words(const engine::UnitSpec& unit) {
  if (!unit.healthcheck) return {};
  const config::HealthCheck& check = *unit.healthcheck;
  std::string text;
  if (check.http) {
    text = http_words(*check.http);
  } else if (check.tcp) {
    text = tcp_words(*check.tcp);
  } else if (check.file) {
    text = file_words(*check.file);
  } else {
    text = command_words(check.test);
  }
  text += ", every " + config::format_duration(check.interval) + ", after " + std::to_string(check.retries);
  text += check.retries == 1 ? " failure: " : " failures: ";
  return text + config::to_string(check.on_failure);
}

std::string restart_words(const engine::UnitSpec& unit) {
  const engine::RestartPolicy& policy = unit.restart;
  std::string text = config::to_string(policy.when);
  if (policy.when == config::Restart::kNo) return text;
  text += ", after " + config::format_duration(policy.delay) + " to " + config::format_duration(policy.max_delay);
  if (policy.start_limit_burst == 0) return text;
  return text + ", at most " + std::to_string(policy.start_limit_burst) + " starts in " +
         config::format_duration(policy.start_limit_interval);
}

std::string stop_words(const engine::UnitSpec& unit) {
  std::string text;
  const auto hook = [](const char* name, const engine::HookSpec& spec) {
    return std::string(name) + " for at most " + config::format_duration(spec.timeout);
  };
  if (unit.stop_command) text += hook("stop_command", *unit.stop_command) + ", ";
  for (const config::StopStep& step : unit.stop_sequence) {
    text += config::signal_name(step.signal.number) + ", " + config::format_duration(step.wait) + ", ";
  }
  text += "KILL";
  if (unit.kill_mode == config::KillMode::kProcess) text += " (main process only)";
  return unit.post_stop ? text + ", " + hook("post_stop", *unit.post_stop) : text;
}

std::string failure_words(const engine::UnitSpec& unit) {
  if (unit.ends_container) return "its exit ends the container with its code";
  if (!unit.critical && unit.schedule) return "it runs again when it is due";
  if (!unit.critical) return "the container goes on without it";
  const std::string code = std::to_string(static_cast<int>(unit.failure_code));
  if (unit.failure == engine::FailureCode::kDocumented) return "the container stops with slipway-db's code, or " + code;
  return "the container stops with its code, or " + code;
}

}  // namespace slipway::program
