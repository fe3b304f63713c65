#include "supervisor/control_view.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include "supervisor/unit_text.hpp"
#include "supervisor/worker_logs.hpp"
#include "version.hpp"

namespace slipway::supervisor {
namespace {

bool migrates(const engine::Plan& plan) {
  return std::any_of(plan.units.begin(), plan.units.end(), [](const engine::UnitSpec& unit) {
    const auto& markers = unit.markers_on_success;
    return std::find(markers.begin(), markers.end(), engine::Marker::kMigrateDone) != markers.end();
  });
}

control::ContainerState state_of(const engine::Engine& engine, bool was_ready) {
  if (engine.stopping()) return control::ContainerState::kStopping;
  if (engine.ready()) return control::ContainerState::kReady;
  return was_ready ? control::ContainerState::kDegraded : control::ContainerState::kBooting;
}

std::vector<logging::Source> sources_of(const std::vector<std::size_t>& units) {
  std::vector<logging::Source> sources;
  sources.reserve(units.size());
  for (const std::size_t unit : units) {
    sources.push_back(unit == control::kSlipway ? logging::Source::kSlipway : static_cast<logging::Source>(unit + 1));
  }
  return sources;
}

bool runs(engine::UnitState state) {
  return state == engine::UnitState::kStarting || state == engine::UnitState::kRunning ||
         state == engine::UnitState::kReady || state == engine::UnitState::kUnhealthy;
}

}  // namespace

ControlView::ControlView(const Setup& setup, const engine::Engine& engine, const logging::Ring& ring,
                         Reloader& reloader, Act act)
    : setup_(&setup),
      engine_(&engine),
      ring_(&ring),
      reloader_(&reloader),
      act_(std::move(act)),
      migrated_(!migrates(setup.plan)) {}

control::ContainerStatus ControlView::container() const {
  control::ContainerStatus status;
  status.name = setup_->configuration.name;
  status.state = state_of(*engine_, was_ready_);
  status.ready = engine_->ready() && !engine_->stopping();
  status.migrated = migrated_;
  status.boot_id = setup_->boot_id;
  status.version = kVersion;
  status.pid = ::getpid();
  status.uptime = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin_);
  status.config_source = setup_->config_source;
  return status;
}

std::size_t ControlView::unit_count() const { return setup_->plan.units.size(); }

std::vector<std::size_t> ControlView::listing() const {
  std::vector<std::size_t> indexes;
  for (const engine::UnitId unit : engine_->order()) indexes.push_back(engine::index(unit));
  return indexes;
}

control::UnitStatus ControlView::unit(std::size_t index) const {
  const auto id = static_cast<engine::UnitId>(index);
  return to_status(setup_->plan.units[index], engine_->view(id), std::chrono::steady_clock::now(),
                   std::chrono::system_clock::now());
}

std::optional<std::string> ControlView::act(control::Verb verb, std::size_t unit, int signal) {
  const auto id = static_cast<engine::UnitId>(unit);
  const engine::UnitState state = engine_->view(id).state;
  switch (verb) {
    case control::Verb::kStart:
      // To start a service that runs is no mistake; to run a job that runs is.
      if (runs(state) && setup_->plan.units[unit].kind != engine::UnitKind::kScheduled) return std::nullopt;
      return act_(engine::event::StartUnit{id});
    case control::Verb::kStop:
      if (engine::is_final(state)) return std::nullopt;
      return act_(engine::event::StopUnit{id});
    case control::Verb::kRestart:
      return act_(engine::event::RestartUnit{id});
    case control::Verb::kSignal:
      return act_(engine::event::SignalUnit{id, signal});
    case control::Verb::kReload:
      if (!setup_->plan.units[unit].reload_signal) return "it has no reload_signal";
      return act_(engine::event::SignalUnit{id, setup_->plan.units[unit].reload_signal->number});
  }
  return "unknown request";
}

control::LogRange ControlView::last_logs(const std::vector<std::size_t>& units, std::size_t lines) const {
  return {ring_->begin_of_last(lines, sources_of(units)), ring_->next()};
}

std::vector<control::LogLine> ControlView::read_logs(const std::vector<std::size_t>& units, control::LogRange& range,
                                                     std::size_t bytes) const {
  std::vector<control::LogLine> found;
  for (logging::Ring::Record& record : ring_->read(range.from, range.to, sources_of(units), bytes)) {
    const auto source = static_cast<std::size_t>(record.source);
    found.push_back({source == 0 ? control::kSlipway : source - 1, record.time, std::move(record.text)});
  }
  return found;
}

bool ControlView::captured(std::size_t unit) const { return !writes_through(setup_->plan.units[unit]); }

}  // namespace slipway::supervisor
