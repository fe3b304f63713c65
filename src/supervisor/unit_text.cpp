#include "supervisor/unit_text.hpp"

#include "config/notation.hpp"
#include "engine/describe.hpp"

namespace slipway::supervisor {

std::string describe(const engine::ExitStatus& status) {
  switch (status.kind) {
    case engine::ExitStatus::Kind::kExited:
      return "exit " + std::to_string(status.value);
    case engine::ExitStatus::Kind::kSignaled:
      return "killed by SIG" + config::signal_name(status.value);
    case engine::ExitStatus::Kind::kNotStarted:
      return "not started: " + status.reason;
  }
  return "unknown";
}

int shell_code(const engine::ExitStatus& status) {
  switch (status.kind) {
    case engine::ExitStatus::Kind::kExited:
      return status.value;
    case engine::ExitStatus::Kind::kSignaled:
      return 128 + status.value;
    case engine::ExitStatus::Kind::kNotStarted:
      break;
  }
  return 127;
}

std::string describe_readiness(const engine::UnitSpec& spec) {
  if (spec.ready) {
    const config::Readiness& ready = *spec.ready;
    if (ready.notify_fd) return "notify_fd " + std::to_string(*ready.notify_fd);
    if (ready.sd_notify) return "sd_notify";
    if (!ready.log_line.empty()) return "log_line " + ready.log_line;
    if (ready.tcp) return "tcp " + ready.tcp->host + ":" + std::to_string(ready.tcp->port);
    if (ready.http) return "http " + ready.http->url;
    if (ready.file) return "file " + ready.file->path;
    return "exec " + ready.exec.argv.front();
  }
  return spec.healthcheck ? "healthcheck" : "";
}

control::UnitStatus to_status(const engine::UnitSpec& spec, const engine::UnitView& view, engine::Instant now,
                              std::chrono::system_clock::time_point time_of_day) {
  // The two clocks are read one after the other: a run at 03:00:00 must not be shown as one at 02:59:59.999.
  const auto on_the_clock = [&](engine::Instant moment) {
    return std::chrono::round<std::chrono::milliseconds>(time_of_day + (moment - now));
  };
  control::UnitStatus status;
  status.name = spec.name;
  status.worker = spec.worker;
  status.kind = engine::describe(spec.kind);
  status.state = engine::to_string(view.state);
  status.pid = view.pid;
  status.since = std::chrono::duration_cast<std::chrono::milliseconds>(now - view.since);
  status.restarts = view.restarts;
  if (view.last_exit)
    status.last_exit = control::LastExit{supervisor::describe(*view.last_exit), shell_code(*view.last_exit)};
  status.reason = view.reason;
  status.status = view.status;
  status.reloading = view.reloading;
  if (view.next_run) status.next_run = on_the_clock(*view.next_run);
  if (view.last_run) status.last_run = on_the_clock(*view.last_run);
  status.skipped_runs = view.skipped_runs;
  status.ready_by = describe_readiness(spec);
  status.built_in = spec.built_in;
  status.enabled = spec.enabled;
  return status;
}

}  // namespace slipway::supervisor
