#pragma once
// Runs the engine's probes, at most one of each kind per unit, and hands in their answers.

#include <memory>

#include "engine/messages.hpp"
#include "host/child_table.hpp"
#include "supervisor/event_sink.hpp"
#include "supervisor/processes.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Probes {
 public:
  /// All references must outlive this.
  Probes(boost::asio::io_context& context, host::ChildTable& children, const Processes& processes, const Setup& setup,
         EventSink sink);
  ~Probes();

  /// Answers with ProbeFinished within the command's timeout, never from within this call.
  void start(const engine::command::Probe& command);
  void cancel(engine::UnitId unit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::supervisor
