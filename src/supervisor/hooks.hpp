#pragma once
// The units' hooks (pre_start, stop_command, post_stop): each runs as its unit would, in a process group of its own,
// and writes to its unit's log. Knows no policy: the engine says when to run one and what to signal.

#include <memory>

#include "engine/messages.hpp"
#include "host/child_table.hpp"
#include "logging/capture.hpp"
#include "supervisor/event_sink.hpp"
#include "supervisor/processes.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Hooks {
 public:
  /// All references must outlive this.
  Hooks(host::ChildTable& children, logging::Capture& capture, const Processes& processes, const Setup& setup,
        EventSink sink);
  ~Hooks();

  /// Answers with HookFinished through the sink, at once when it cannot be started.
  void run(const engine::command::RunHook& command);
  void signal(const engine::command::SignalHook& command);
  /// The plan has grown.
  void grow();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::supervisor
