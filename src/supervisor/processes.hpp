#pragma once
// The units' processes: turns a unit of the plan into a launch, and what becomes of it into events. Knows no policy:
// the engine says when to start and what to signal.

#include <memory>
#include <optional>
#include <string>

#include "engine/messages.hpp"
#include "host/child_table.hpp"
#include "host/launcher.hpp"
#include "host/notify.hpp"
#include "logging/capture.hpp"
#include "logging/ring.hpp"
#include "supervisor/event_sink.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

/// Where a unit's output goes in the ring; 0 is Slipway's own.
[[nodiscard]] inline logging::Source source_of(engine::UnitId unit) {
  return static_cast<logging::Source>(engine::index(unit) + 1);
}
[[nodiscard]] engine::ExitStatus to_engine(const host::ExitStatus& status);

/// The unit's process gets NOTIFY_SOCKET, and what it sends there counts.
[[nodiscard]] bool may_notify(const engine::UnitSpec& spec);

class Processes {
 public:
  /// All references must outlive this. Unit i's output is the ring's source i + 1.
  Processes(boost::asio::io_context& context, host::ChildTable& children, logging::Capture& capture, const Setup& setup,
            EventSink sink);
  ~Processes();

  /// The plan has grown.
  void grow();
  /// Answers with Spawned or SpawnFailed through the sink, later with Exited and GroupGone.
  void spawn(engine::UnitId unit);
  void signal(const engine::command::Signal& command);
  /// How a probe or a hook of this unit runs a command: with the unit's user, directory and environment.
  [[nodiscard]] Result<host::Launch> probe_launch(engine::UnitId unit, const config::CommandLine& command) const;
  /// KILL to whatever of the unit left its process group.
  void kill_escaped(engine::UnitId unit) const;
  /// 0: the unit has no process of its own (others of its group may be left).
  [[nodiscard]] int pid(engine::UnitId unit) const;
  /// The unit whose process sent this, or a process of its group, or a descendant; empty for strangers.
  [[nodiscard]] std::optional<engine::UnitId> sender(const host::Notification& notification) const;
  /// The value of NOTIFY_SOCKET for the units that notify; empty: they get none.
  void set_notify_address(std::string address);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::supervisor
