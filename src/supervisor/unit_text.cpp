#include "supervisor/unit_text.hpp"

#include "config/notation.hpp"

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

control::UnitStatus to_status(const engine::UnitSpec& spec, const engine::UnitView& view, engine::Instant now) {
  control::UnitStatus status;
  status.name = spec.name;
  status.worker = spec.worker;
  status.kind = spec.kind == engine::UnitKind::kOneshot ? "oneshot" : "service";
  status.state = engine::to_string(view.state);
  status.pid = view.pid;
  status.since = std::chrono::duration_cast<std::chrono::milliseconds>(now - view.since);
  status.restarts = view.restarts;
  if (view.last_exit) status.last_exit = control::LastExit{describe(*view.last_exit), shell_code(*view.last_exit)};
  status.reason = view.reason;
  status.status = view.status;
  status.reloading = view.reloading;
  status.ready_by = describe_readiness(spec);
  status.built_in = spec.built_in;
  status.enabled = spec.enabled;
  return status;
}

}  // namespace slipway::supervisor
