#include "supervisor/hooks.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "host/launcher.hpp"

namespace slipway::supervisor {

using engine::HookKind;
using engine::UnitId;

struct Hooks::Impl {
  Impl(host::ChildTable& children, logging::Capture& output, const Processes& units, const Setup& from, EventSink to)
      : launcher(children),
        capture(&output),
        processes(&units),
        setup(&from),
        sink(std::move(to)),
        running(from.plan.units.size()) {}

  host::Launcher launcher;
  logging::Capture* capture;
  const Processes* processes;
  const Setup* setup;
  EventSink sink;
  std::vector<int> running;  ///< by unit: the hook's pid, which is its group; 0: none

  [[nodiscard]] const engine::HookSpec& spec(UnitId unit, HookKind kind) const;
  [[nodiscard]] Result<host::Launch> launch_of(UnitId unit, HookKind kind) const;
  void start(UnitId unit, HookKind kind, host::Launch& launch);
  void on_exit(UnitId unit, HookKind kind, const host::ChildExit& exit);
  void fail(UnitId unit, std::string reason) {
    sink(engine::event::HookFinished{unit, {engine::ExitStatus::Kind::kNotStarted, 0, std::move(reason)}});
  }
};

const engine::HookSpec& Hooks::Impl::spec(UnitId unit, HookKind kind) const {
  const engine::UnitSpec& from = setup->plan.units[engine::index(unit)];
  if (kind == HookKind::kPreStart) return *from.pre_start;
  return kind == HookKind::kStopCommand ? *from.stop_command : *from.post_stop;
}

Result<host::Launch> Hooks::Impl::launch_of(UnitId unit, HookKind kind) const {
  config::CommandLine command;
  command.argv = spec(unit, kind).argv;
  Result<host::Launch> launch = processes->probe_launch(unit, command);
  if (!launch || kind != HookKind::kStopCommand) return launch;
  std::erase_if(launch->environment, [](const std::string& entry) { return entry.starts_with("MAINPID="); });
  launch->environment.push_back("MAINPID=" + std::to_string(processes->pid(unit)));
  return launch;
}

void Hooks::Impl::start(UnitId unit, HookKind kind, host::Launch& launch) {
  // The unit's own process still writes while stop_command runs; otherwise its last pipes have served their time.
  const bool beside = kind == HookKind::kStopCommand;
  const logging::Source source = source_of(unit);
  const logging::Capture::ChildEnds ends = beside ? capture->open_beside(source) : capture->open(source);
  if (!ends.ok()) return fail(unit, std::string("pipes for its output: ") + std::strerror(errno));
  launch.stdout_fd = ends.out;
  launch.stderr_fd = ends.error;
  const auto launched =
      launcher.launch(launch, [this, unit, kind](const host::ChildExit& exit) { on_exit(unit, kind, exit); });
  logging::Capture::close(ends);
  if (!launched) return fail(unit, launched.error().message);
  running[engine::index(unit)] = *launched;
}

void Hooks::Impl::on_exit(UnitId unit, HookKind kind, const host::ChildExit& exit) {
  running[engine::index(unit)] = 0;
  if (exit.group_alive) host::send_signal(exit.pid, SIGKILL, true);
  // While the unit's own process lives, daemons may be meant to live with it.
  if (kind != HookKind::kStopCommand) processes->kill_escaped(unit);
  try {
    if (kind != HookKind::kStopCommand) capture->drain(source_of(unit));
  } catch (const std::bad_alloc&) {  // its last words are lost, that it ended is not
  }
  sink(engine::event::HookFinished{unit, to_engine(exit.status)});
}

Hooks::Hooks(host::ChildTable& children, logging::Capture& capture, const Processes& processes, const Setup& setup,
             EventSink sink)
    : impl_(std::make_unique<Impl>(children, capture, processes, setup, std::move(sink))) {}

Hooks::~Hooks() = default;

void Hooks::run(const engine::command::RunHook& command) try {
  Result<host::Launch> launch = impl_->launch_of(command.unit, command.kind);
  if (!launch) return impl_->fail(command.unit, launch.error().message);
  impl_->start(command.unit, command.kind, *launch);
} catch (const std::exception& error) {
  impl_->fail(command.unit, error.what());
}

void Hooks::grow() { impl_->running.resize(impl_->setup->plan.units.size()); }

void Hooks::signal(const engine::command::SignalHook& command) {
  const int pid = impl_->running[engine::index(command.unit)];
  if (pid > 0) host::send_signal(pid, command.signal, true);
}

}  // namespace slipway::supervisor
