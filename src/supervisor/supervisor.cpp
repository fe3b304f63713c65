#include "supervisor/supervisor.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <exception>
#include <optional>
#include <sys/random.h>
#include <unistd.h>
#include <utility>

#include "config/notation.hpp"
#include "control/server.hpp"
#include "engine/engine.hpp"
#include "host/child_table.hpp"
#include "host/clock_watch.hpp"
#include "host/descendants.hpp"
#include "host/notify.hpp"
#include "host/signals.hpp"
#include "logging/capture.hpp"
#include "logging/log.hpp"
#include "logging/output.hpp"
#include "logging/ring.hpp"
#include "supervisor/control_view.hpp"
#include "supervisor/hooks.hpp"
#include "supervisor/marker_files.hpp"
#include "supervisor/memory_reserve.hpp"
#include "supervisor/notifications.hpp"
#include "supervisor/plan_facts.hpp"
#include "supervisor/probes.hpp"
#include "supervisor/processes.hpp"
#include "supervisor/reloader.hpp"
#include "supervisor/reporter.hpp"
#include "supervisor/worker_logs.hpp"

namespace slipway::supervisor {
namespace {

using logging::Level;

/// What may outlive the units (daemons that left their group) gets this long between TERM and KILL, and in all.
constexpr std::chrono::milliseconds kSweepGrace{1000};
constexpr std::chrono::milliseconds kSweepTimeout{5000};
/// How long the last lines may take to reach a slow reader.
constexpr int kFlushMilliseconds = 200;

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

/// A timer that is this late means that PID 1 did not run: it was stopped, or the container was frozen.
constexpr std::chrono::milliseconds kPause{1000};

std::uint64_t jitter_seed() {
  // Not std::random_device, which throws where there is no entropy and no /dev/urandom.
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

}  // namespace

struct Supervisor::Impl {
  explicit Impl(Setup from);

  // In the order of construction: what is used by later members comes first and is destroyed last.
  MemoryReserve reserve;
  Setup setup;
  boost::asio::io_context context{1};
  logging::Output output;
  logging::Log log;
  logging::Ring ring;
  Reporter reporter;
  MarkerFiles markers;
  engine::Engine engine;
  host::ChildTable children;
  logging::Capture capture;
  WorkerLogs worker_logs;
  Processes processes;
  Hooks hooks;
  Probes probes;
  Notifications notifications;
  Reloader reloader;
  ControlView view;
  boost::asio::steady_timer timer;
  std::optional<host::Signals> signals;
  std::optional<host::ClockWatch> clock;
  std::optional<host::NotifySocket> notify;
  std::unique_ptr<control::Server> server;
  std::unique_ptr<host::Sweep> sweep;

  std::deque<engine::Event> events;
  bool handling = false;
  std::optional<engine::Instant> armed;
  std::optional<std::string> refusal;
  std::optional<int> exit_code;

  Result<void> open_signals();
  Result<void> listen();
  void open_notify_socket();
  void watch_clock();
  void adopt_orphans();

  void dispatch(engine::Event event);
  std::optional<std::string> request(engine::Event event);
  void perform(const engine::Commands& commands);
  void perform(const engine::Command& command);
  template <typename Step>
  void survive(Step step) noexcept;
  void replan(const engine::Plan& plan);
  void arm_timer();
  void write_marker(const engine::command::WriteMarker& command);
  void remove_marker(engine::Marker marker);
  void complain(const std::vector<Error>& errors);
  void on_signal(int signal);
  void on_timer(engine::Instant due);
  void finish(int code);
};

Supervisor::Impl::Impl(Setup from)
    : setup(std::move(from)),
      output(context, own_stream(setup.plan)),
      log(output, setup.configuration.logging),
      ring(unit_names(setup.plan)),
      reporter(log, ring, setup),
      markers(setup),
      engine(setup.plan, jitter_seed()),
      children(context),
      capture(context, output, ring, setup.configuration.logging),
      worker_logs(children, capture, reporter, setup),
      processes(context, children, capture, setup, [this](engine::Event event) { dispatch(std::move(event)); }),
      hooks(children, capture, processes, setup, [this](engine::Event event) { dispatch(std::move(event)); }),
      probes(context, children, processes, setup, [this](engine::Event event) { dispatch(std::move(event)); }),
      notifications(processes, markers, reporter, setup, [this](engine::Event event) { dispatch(std::move(event)); }),
      reloader(
          context, children, setup, engine, reporter, [this](engine::Event event) { return request(std::move(event)); },
          [this] {
            if (server) server->notify_changed();
          }),
      view(setup, engine, ring, reloader, [this](const engine::Event& event) { return request(event); }),
      timer(context) {
  log.redact(setup.secrets);
  output.on_dropped([this](std::uint64_t lines) {
    reporter.say(
        Level::kWarning, "log.dropped",
        std::to_string(lines) + " lines of Slipway's own were dropped: the reader of standard output was stuck");
  });
}

Result<void> Supervisor::Impl::open_signals() {
  Result<host::Signals> opened = host::Signals::open(context, [this](int signal) { on_signal(signal); });
  if (!opened) return tl::unexpected<Error>(opened.error());
  signals.emplace(std::move(*opened));
  return {};
}

Result<void> Supervisor::Impl::listen() {
  control::ServerOptions options;
  options.path = setup.configuration.control.socket;
  options.mode = setup.configuration.control.mode.bits;
  options.group = setup.configuration.control.group;
  Result<std::unique_ptr<control::Server>> opened = control::Server::listen(context, options, view);
  if (opened) {
    server = std::move(*opened);
    const auto publish = [this](const logging::Line& line) {
      const auto source = static_cast<std::size_t>(line.source);
      server->publish(source == 0 ? control::kSlipway : source - 1, line.text);
    };
    ring.follow({}, publish, [this] { return server && server->followed(); });
    return {};
  }
  // A plain init owes nobody a control socket; a configured container runs without one where it may not write.
  if (setup.config_source.empty()) {
    log.debug(opened.error().message);
    return {};
  }
  if (opened.error().code != ExitCode::kPermission) return tl::unexpected<Error>(opened.error());
  reporter.say(Level::kWarning, "control.unavailable",
               opened.error().message + "; running without a control socket: status, logs and health will not answer");
  return {};
}

void Supervisor::Impl::open_notify_socket() {
  if (std::none_of(setup.plan.units.begin(), setup.plan.units.end(), may_notify)) return;
  Result<host::NotifySocket> opened =
      host::NotifySocket::open(context, [this](const host::Notification& message) { notifications.handle(message); });
  if (!opened) {
    reporter.say(Level::kWarning, "notify.unavailable", opened.error().message);
    return;
  }
  notify.emplace(std::move(*opened));
  processes.set_notify_address(notify->address());
}

/// Only where a schedule has a time of day, at the boot or after a reload.
void Supervisor::Impl::watch_clock() {
  if (clock || !knows_time_of_day(setup.plan)) return;
  const auto tell = [this] { dispatch(engine::event::WallClock{std::chrono::system_clock::now()}); };
  Result<host::ClockWatch> opened = host::ClockWatch::open(context, tell);
  if (opened) {
    clock.emplace(std::move(*opened));
  } else {
    reporter.say(Level::kWarning, "clock.unwatched",
                 opened.error().message + "; schedules will not notice when the time of day is set");
  }
  tell();
}

void Supervisor::Impl::adopt_orphans() {
  if (host::is_init()) return;
  if (Result<void> done = host::become_subreaper(); !done) {
    reporter.say(Level::kWarning, "init.no_subreaper", done.error().message);
    return;
  }
  reporter.say(Level::kWarning, "init.not_pid_1",
               "not PID 1: adopting orphans as a child subreaper; in a container let slipway be the ENTRYPOINT");
}

void Supervisor::Impl::dispatch(engine::Event event) {
  events.push_back(std::move(event));
  if (handling) return;
  handling = true;
  while (!events.empty()) {
    const engine::Event next = std::move(events.front());
    events.pop_front();
    survive([&] {
      if (!engine.finished()) perform(engine.handle(next, std::chrono::steady_clock::now()));
    });
  }
  handling = false;
  survive([&] {
    if (reserve.refill()) {
      reporter.say(Level::kWarning, "memory.short", "memory was used up and is there again: lines may have been lost");
    }
  });
  if (engine.ready()) view.note_ready();
  reloader.look();
  survive([&] { arm_timer(); });
  survive([&] {
    if (server) server->notify_changed();
  });
}

/// Why an operator's event was refused, if it was.
std::optional<std::string> Supervisor::Impl::request(engine::Event event) {
  refusal.reset();
  dispatch(std::move(event));
  return std::exchange(refusal, std::nullopt);
}

/// The last line of defence: what one step throws (no memory, no descriptors, a bug) ends that step and never PID 1.
template <typename Step>
void Supervisor::Impl::survive(Step step) noexcept {
  try {
    step();
  } catch (const std::exception& error) {
    try {
      reporter.say(Level::kError, "internal.error", std::string("internal error: ") + error.what());
    } catch (const std::exception&) {  // not even memory to say so
    }
  }
}

void Supervisor::Impl::perform(const engine::Commands& commands) {
  for (const engine::Command& command : commands) survive([&] { perform(command); });
}

void Supervisor::Impl::perform(const engine::Command& command) {
  std::visit(Overloaded{[&](const engine::command::Spawn& spawn) { processes.spawn(spawn.unit); },
                        [&](const engine::command::Signal& signal) { processes.signal(signal); },
                        [&](const engine::command::RunHook& run) { hooks.run(run); },
                        [&](const engine::command::SignalHook& signal) { hooks.signal(signal); },
                        [&](const engine::command::Probe& probe) { probes.start(probe); },
                        [&](const engine::command::CancelProbes& cancel) { probes.cancel(cancel.unit); },
                        [&](const engine::command::WriteMarker& write) { write_marker(write); },
                        [&](const engine::command::RemoveMarker& remove) { remove_marker(remove.marker); },
                        [&](const engine::command::Report& report) { reporter.report(report); },
                        [&](const engine::command::Refuse& refuse) { refusal = refuse.reason; },
                        [&](const engine::command::Replan& another) { replan(another.plan); },
                        [&](const engine::command::Finish& last) { finish(last.exit_code); }},
             command);
}

/// Unit i's output stays the ring's source i + 1, under its new name and with its new route; a slot that became another
/// unit's begins anew.
void Supervisor::Impl::replan(const engine::Plan& plan) {
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    const engine::UnitSpec& unit = plan.units[i];
    const bool added = i >= setup.plan.units.size();
    const engine::UnitSpec before = added ? engine::UnitSpec() : setup.plan.units[i];
    const auto source = added ? ring.add(unit.name) : static_cast<logging::Source>(i + 1);
    if (unit.worker != before.worker || unit.replica != before.replica) ring.clear(source);
    ring.rename(source, unit.name);
  }
  setup.plan = plan;
  for (std::size_t i = 0; i < plan.units.size(); ++i) worker_logs.route(static_cast<engine::UnitId>(i), plan.units[i]);
  reloader.in_force(plan);
  processes.grow();
  hooks.grow();
  if (!notify) open_notify_socket();
  watch_clock();
}

void Supervisor::Impl::arm_timer() {
  const std::optional<engine::Instant> due = engine.finished() ? std::nullopt : engine.next_deadline();
  if (due == armed) return;
  armed.reset();
  timer.cancel();
  if (!due) return;
  timer.expires_at(*due);
  timer.async_wait([this, due = *due](const boost::system::error_code& error) {
    if (!error) on_timer(due);
  });
  armed = due;
}

/// What was said in time counts, however late we read it.
void Supervisor::Impl::on_timer(engine::Instant due) {
  armed.reset();
  if (notify) survive([&] { notify->receive_pending(); });
  const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - due);
  if (late > kPause) {
    survive([&] {
      reporter.say(Level::kWarning, "init.paused",
                   "did not run for " + std::to_string(late.count()) +
                       " ms (stopped, frozen or starved): starts and watchdogs get this time in addition");
    });
    dispatch(engine::event::Paused{late});
  }
  dispatch(engine::event::Tick{});
}

void Supervisor::Impl::write_marker(const engine::command::WriteMarker& command) {
  if (command.marker == engine::Marker::kMigrateDone) view.note_migrated();
  complain(markers.write(command));
}

void Supervisor::Impl::remove_marker(engine::Marker marker) { complain(markers.remove(marker)); }

void Supervisor::Impl::complain(const std::vector<Error>& errors) {
  // Without a configuration nobody waits for markers, and a plain init often may not write them.
  const Level level = setup.config_source.empty() ? Level::kDebug : Level::kError;
  for (const Error& error : errors) reporter.say(level, "marker.failed", error.message);
}

void Supervisor::Impl::on_signal(int signal) {
  switch (signal) {
    case SIGCHLD:
      return children.reap();
    case SIGTERM:
    case SIGINT:
    case SIGQUIT:
      return dispatch(engine::event::StopRequested{signal, "received SIG" + config::signal_name(signal)});
    default:
      dispatch(engine::event::SignalReceived{signal});
      // With a command of its own the container's HUP is that command's.
      if (signal == SIGHUP && setup.main_command.empty()) static_cast<void>(reloader.reload(false));
  }
}

void Supervisor::Impl::finish(int code) {
  timer.cancel();
  clock.reset();
  sweep = std::make_unique<host::Sweep>(context, children, kSweepGrace, kSweepTimeout, [this, code](std::size_t left) {
    exit_code = code;
    context.stop();
    if (left > 0) {
      reporter.say(Level::kError, "container.leftover", std::to_string(left) + " processes could not be ended");
    }
  });
}

Supervisor::Supervisor(Setup setup) : impl_(std::make_unique<Impl>(std::move(setup))) {}

Supervisor::~Supervisor() = default;

Result<int> Supervisor::run() {
  Impl& impl = *impl_;
  if (Result<void> opened = impl.open_signals(); !opened) return tl::unexpected<Error>(opened.error());
  if (Result<void> listening = impl.listen(); !listening) return tl::unexpected<Error>(listening.error());
  impl.adopt_orphans();
  impl.open_notify_socket();
  impl.watch_clock();
  // Children that ended before the signals were open (whoever executed us may have left some).
  impl.children.reap();
  impl.dispatch(engine::event::Boot{});
  // An exception leaves run() with its handler done and everything else still due.
  while (!impl.context.stopped()) impl.survive([&] { impl.context.run(); });
  impl.server.reset();
  impl.output.flush(kFlushMilliseconds);
  return impl.exit_code.value_or(static_cast<int>(ExitCode::kInternal));
}

}  // namespace slipway::supervisor
