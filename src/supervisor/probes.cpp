#include "supervisor/probes.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "host/probe.hpp"

namespace slipway::supervisor {

using engine::ProbeKind;
using engine::UnitId;

struct Probes::Impl {
  boost::asio::io_context* context;
  host::ChildTable* children;
  const Processes* processes;
  const Setup* setup;
  EventSink sink;
  std::map<std::pair<UnitId, ProbeKind>, std::unique_ptr<host::Probe>> running;

  /// The answer's way back: the probe is over before its event is handed in, so that a new one may start.
  host::ProbeHandler answer(UnitId unit, ProbeKind kind) {
    return [this, unit, kind](const host::ProbeResult& result) {
      engine::event::ProbeFinished event{unit, kind, result.ok, result.detail};
      running.erase({unit, kind});
      sink(std::move(event));
    };
  }

  template <typename Description>
  std::unique_ptr<host::Probe> begin(const Description& what, const config::CommandLine& command,
                                     const engine::command::Probe& probe) {
    host::ProbeHandler handler = answer(probe.unit, probe.kind);
    if (what.tcp) return host::start_tcp_probe(*context, *what.tcp, probe.timeout, std::move(handler));
    if (what.http) return host::start_http_probe(*context, *what.http, probe.timeout, std::move(handler));
    if (what.file) return host::start_file_probe(*context, *what.file, std::move(handler));
    Result<host::Launch> launch = processes->probe_launch(probe.unit, command);
    if (launch) return host::start_exec_probe(*context, *children, *launch, probe.timeout, std::move(handler));
    boost::asio::post(*context, [handler = std::move(handler), text = launch.error().message] {
      handler(host::ProbeResult{false, text});
    });
    return nullptr;
  }
};

Probes::Probes(boost::asio::io_context& context, host::ChildTable& children, const Processes& processes,
               const Setup& setup, EventSink sink)
    : impl_(std::make_unique<Impl>(Impl{&context, &children, &processes, &setup, std::move(sink), {}})) {}

Probes::~Probes() = default;

void Probes::start(const engine::command::Probe& command) {
  const engine::UnitSpec& spec = impl_->setup->plan.units[engine::index(command.unit)];
  std::unique_ptr<host::Probe> probe;
  if (command.kind == ProbeKind::kReadiness) {
    probe = impl_->begin(*spec.ready, spec.ready->exec, command);
  } else {
    probe = impl_->begin(*spec.healthcheck, spec.healthcheck->test, command);
  }
  if (probe) impl_->running[{command.unit, command.kind}] = std::move(probe);
}

void Probes::cancel(UnitId unit) {
  impl_->running.erase({unit, ProbeKind::kReadiness});
  impl_->running.erase({unit, ProbeKind::kHealth});
}

}  // namespace slipway::supervisor
