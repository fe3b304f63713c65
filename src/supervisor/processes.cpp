#include "supervisor/processes.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <unistd.h>
#include <utility>
#include <vector>

#include "config/environment_files.hpp"
#include "config/line_pattern.hpp"
#include "host/descendants.hpp"
#include "host/escaped.hpp"
#include "supervisor/process_options.hpp"
#include "supervisor/worker_logs.hpp"

namespace slipway::supervisor {
namespace {

using engine::UnitId;

/// How long a process that cannot be looked at counts as perhaps the unit's.
constexpr std::chrono::seconds kPatience{1};

}  // namespace

engine::ExitStatus to_engine(const host::ExitStatus& status) {
  engine::ExitStatus result;
  switch (status.kind) {
    case host::ExitStatus::Kind::kExited:
      result.kind = engine::ExitStatus::Kind::kExited;
      break;
    case host::ExitStatus::Kind::kSignaled:
      result.kind = engine::ExitStatus::Kind::kSignaled;
      break;
    case host::ExitStatus::Kind::kNotStarted:
      result.kind = engine::ExitStatus::Kind::kNotStarted;
      break;
  }
  if (status.kind != host::ExitStatus::Kind::kNotStarted) result.value = status.value;
  result.reason = status.reason;
  return result;
}

bool may_notify(const engine::UnitSpec& spec) {
  return spec.built_in || spec.watchdog.count() > 0 || (spec.ready && spec.ready->sd_notify);
}

struct Processes::Impl {
  Impl(boost::asio::io_context& io, host::ChildTable& children, logging::Capture& output, const Setup& from,
       EventSink to)
      : context(&io),
        launcher(children),
        table(&children),
        capture(&output),
        setup(&from),
        sink(std::move(to)),
        running(from.plan.units.size()) {}

  struct Running {
    int pid = 0;         ///< 0: no process and no group of it
    bool ended = false;  ///< the process is gone, its group is not
    std::optional<host::NotifyPipe> notify;
    std::chrono::steady_clock::time_point undecided_until;  ///< for what hangs and may be the unit's
  };

  boost::asio::io_context* context;
  host::Launcher launcher;
  host::ChildTable* table;
  logging::Capture* capture;
  const Setup* setup;
  EventSink sink;
  std::vector<Running> running;
  std::string notify_address;

  const engine::UnitSpec& spec(UnitId unit) const { return setup->plan.units[engine::index(unit)]; }
  Result<std::vector<std::string>> environment(UnitId unit, bool notifies) const;
  Result<host::Launch> base_launch(UnitId unit, bool notifies) const;
  std::optional<Error> add_notify_pipe(UnitId unit, host::Launch& launch);
  void start(UnitId unit, host::Launch& launch);
  void watch_lines(UnitId unit);
  void on_exit(UnitId unit, const host::ChildExit& exit);
  void on_group_gone(UnitId unit);
  [[nodiscard]] std::string mark(UnitId unit) const;
  [[nodiscard]] host::Escaped escaped(UnitId unit) const { return host::find_escaped(*table, mark(unit)); }
  [[nodiscard]] bool await_escaped(UnitId unit);
  void fail(UnitId unit, std::string reason, bool retryable) {
    sink(engine::event::SpawnFailed{unit, std::move(reason), retryable});
  }
};

/// `notifies`: it is the unit's own process, not a probe's, whom NOTIFY_SOCKET and the watchdog concern.
Result<std::vector<std::string>> Processes::Impl::environment(UnitId unit, bool notifies) const {
  const engine::UnitSpec& what = spec(unit);
  config::StringMap variables = what.built_in ? setup->built_in_environment : setup->environment;
  // An outer service manager's socket is not ours to hand on.
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) variables.erase(name);
  for (const std::string& file : what.launch.env_files) {
    Result<config::StringMap> read = config::read_env_file(file);
    if (!read) return tl::unexpected<Error>(read.error());
    for (auto& [name, value] : *read) variables[name] = value;
  }
  for (const auto& [name, value] : what.launch.environment) variables[name] = value;
  const char* outer = std::getenv(host::kMarkVariable.data());
  variables[std::string(host::kMarkVariable)] =
      (outer == nullptr ? std::string() : std::string(outer) + ":") + mark(unit);
  if (notifies && may_notify(what) && !notify_address.empty()) {
    variables["NOTIFY_SOCKET"] = notify_address;
    if (what.watchdog.count() > 0) {
      variables["WATCHDOG_USEC"] = std::to_string(std::chrono::microseconds(what.watchdog).count());
      variables.erase("WATCHDOG_PID");
    }
  }

  std::vector<std::string> list;
  list.reserve(variables.size());
  for (const auto& [name, value] : variables) list.push_back(name + "=" + value);
  return list;
}

Result<host::Launch> Processes::Impl::base_launch(UnitId unit, bool notifies) const {
  Result<std::vector<std::string>> variables = environment(unit, notifies);
  if (!variables) return tl::unexpected<Error>(variables.error());
  const engine::LaunchSpec& from = spec(unit).launch;
  host::Launch launch;
  launch.argv = from.argv;
  launch.environment = std::move(*variables);
  launch.user = from.user;
  launch.group = from.group;
  launch.supplementary_groups = from.supplementary_groups;
  launch.working_dir = from.working_dir;
  launch.umask = from.umask;
  apply_process_options(from, launch);
  if (notifies && spec(unit).watchdog.count() > 0 && !notify_address.empty()) launch.pid_variable = "WATCHDOG_PID";
  return launch;
}

std::optional<Error> Processes::Impl::add_notify_pipe(UnitId unit, host::Launch& launch) {
  const engine::UnitSpec& what = spec(unit);
  Running& entry = running[engine::index(unit)];
  entry.notify.reset();
  if (!what.ready || !what.ready->notify_fd) return std::nullopt;
  Result<host::NotifyPipe> pipe =
      host::NotifyPipe::open(*context, [this, unit] { sink(engine::event::Notified{unit}); });
  if (!pipe) return pipe.error();
  launch.descriptors.push_back({*what.ready->notify_fd, pipe->child_end()});
  entry.notify.emplace(std::move(*pipe));
  return std::nullopt;
}

void Processes::Impl::start(UnitId unit, host::Launch& launch) {
  logging::Capture::ChildEnds ends;
  if (spec(unit).forwards_signals) {
    // The container's own command keeps the container's own streams, terminal included.
    launch.stdin_fd = STDIN_FILENO;
    launch.stdout_fd = STDOUT_FILENO;
    launch.stderr_fd = STDERR_FILENO;
    launch.foreground = ::isatty(STDIN_FILENO) == 1;
  } else if (writes_through(spec(unit))) {
    launch.stdout_fd = STDOUT_FILENO;
    launch.stderr_fd = STDERR_FILENO;
  } else {
    ends = capture->open(source_of(unit));
    if (!ends.ok()) return fail(unit, std::string("pipes for its output: ") + std::strerror(errno), true);
    launch.stdout_fd = ends.out;
    launch.stderr_fd = ends.error;
  }
  auto launched = launcher.launch(
      launch, [this, unit](const host::ChildExit& exit) { on_exit(unit, exit); },
      [this, unit] { on_group_gone(unit); });
  logging::Capture::close(ends);
  Running& entry = running[engine::index(unit)];
  if (entry.notify) entry.notify->close_child_end();
  if (!launched) return fail(unit, launched.error().message, launched.error().retryable);
  entry.pid = *launched;
  entry.ended = false;
  watch_lines(unit);
  sink(engine::event::Spawned{unit, *launched});
}

/// A name that no reload changes, and that no other Slipway gives.
std::string Processes::Impl::mark(UnitId unit) const {
  return setup->boot_id + "/" + spec(unit).worker + "/" + std::to_string(spec(unit).replica);
}

/// True when something of the unit lives outside of its group, which is gone: GroupGone follows when that is gone too.
bool Processes::Impl::await_escaped(UnitId unit) {
  if (spec(unit).forwards_signals) return false;  // the container ends with it, and everything with the container
  running[engine::index(unit)].undecided_until = std::chrono::steady_clock::now() + kPatience;
  const auto lives = [this, unit] {
    const host::Escaped left = escaped(unit);
    const bool patient = std::chrono::steady_clock::now() < running[engine::index(unit)].undecided_until;
    return !left.roots.empty() || (left.undecided && patient);
  };
  if (!lives()) return false;
  table->watch(lives, [this, unit] { sink(engine::event::GroupGone{unit}); });
  return true;
}

/// Ready at the first line that matches. Lines are seen in the middle of reading: what follows is done after it, and
/// only if the process is still the same.
void Processes::Impl::watch_lines(UnitId unit) {
  const std::optional<config::Readiness>& ready = spec(unit).ready;
  if (!ready || ready->log_line.empty()) return capture->observe(source_of(unit), {});
  auto pattern = config::LinePattern::compile(ready->log_line);
  if (!pattern) return;  // it was compiled when the configuration was read
  const auto shared = std::make_shared<config::LinePattern>(std::move(*pattern));
  const int pid = running[engine::index(unit)].pid;
  capture->observe(source_of(unit), [this, unit, pid, shared](std::string_view line) {
    if (!shared->matches(line)) return true;
    boost::asio::post(*context, [this, unit, pid] {
      if (running[engine::index(unit)].pid == pid) sink(engine::event::Notified{unit});
    });
    return false;
  });
}

void Processes::Impl::on_exit(UnitId unit, const host::ChildExit& exit) {
  Running& entry = running[engine::index(unit)];
  entry.ended = true;
  // A number that nobody holds any more may soon be a stranger's.
  if (!exit.group_alive) entry.pid = 0;
  entry.notify.reset();
  try {
    if (!writes_through(spec(unit))) capture->drain(source_of(unit));
  } catch (const std::exception&) {  // out of memory: its last words are lost, that it ended is not
  }
  sink(engine::event::Exited{unit, to_engine(exit.status), exit.group_alive || await_escaped(unit)});
}

void Processes::Impl::on_group_gone(UnitId unit) {
  Running& entry = running[engine::index(unit)];
  if (entry.ended) entry.pid = 0;
  if (!await_escaped(unit)) sink(engine::event::GroupGone{unit});
}

Processes::Processes(boost::asio::io_context& context, host::ChildTable& children, logging::Capture& capture,
                     const Setup& setup, EventSink sink)
    : impl_(std::make_unique<Impl>(context, children, capture, setup, std::move(sink))) {}

Processes::~Processes() = default;

void Processes::grow() { impl_->running.resize(impl_->setup->plan.units.size()); }

void Processes::spawn(UnitId unit) try {
  Result<host::Launch> launch = impl_->base_launch(unit, true);
  if (!launch) return impl_->fail(unit, launch.error().message, false);
  if (std::optional<Error> error = impl_->add_notify_pipe(unit, *launch)) {
    return impl_->fail(unit, error->message, true);
  }
  impl_->start(unit, *launch);
} catch (const std::exception& error) {
  impl_->fail(unit, error.what(), true);
}

void Processes::signal(const engine::command::Signal& command) {
  const int pid = impl_->running[engine::index(command.unit)].pid;
  if (pid > 0) host::send_signal(pid, command.signal, command.group);
  if (command.group) host::signal_escaped(impl_->escaped(command.unit), command.signal);
}

Result<host::Launch> Processes::probe_launch(UnitId unit, const config::CommandLine& command) const {
  Result<host::Launch> launch = impl_->base_launch(unit, false);
  if (launch) launch->argv = command.argv;
  return launch;
}

void Processes::kill_escaped(UnitId unit) const { host::signal_escaped(impl_->escaped(unit), SIGKILL); }

int Processes::pid(UnitId unit) const {
  const Impl::Running& entry = impl_->running[engine::index(unit)];
  return entry.ended ? 0 : entry.pid;
}

std::optional<UnitId> Processes::sender(const host::Notification& notification) const {
  const auto& running = impl_->running;
  const auto lives = [](const Impl::Running& entry) { return entry.pid > 0 && !entry.ended; };
  auto found = std::find_if(running.begin(), running.end(), [&](const Impl::Running& entry) {
    return lives(entry) && (entry.pid == notification.group || entry.pid == notification.pid);
  });
  if (found == running.end()) {  // perhaps a child in a group of its own
    found = std::find_if(running.begin(), running.end(), [&](const Impl::Running& entry) {
      return lives(entry) && host::is_below(notification.pid, entry.pid);
    });
  }
  if (found == running.end()) return std::nullopt;
  return static_cast<UnitId>(found - running.begin());
}

void Processes::set_notify_address(std::string address) { impl_->notify_address = std::move(address); }

}  // namespace slipway::supervisor
