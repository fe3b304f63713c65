#pragma once
// What the control socket may see and do: the engine's state in the protocol's words.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/handler.hpp"
#include "engine/engine.hpp"
#include "logging/ring.hpp"
#include "supervisor/reloader.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class ControlView final : public control::Handler {
 public:
  /// Applies one operator's event and returns why it was refused, if it was.
  using Act = std::function<std::optional<std::string>(const engine::Event&)>;

  /// All references must outlive this.
  ControlView(const Setup& setup, const engine::Engine& engine, const logging::Ring& ring, Reloader& reloader, Act act);

  [[nodiscard]] control::ContainerStatus container() const override;
  [[nodiscard]] std::size_t unit_count() const override;
  [[nodiscard]] std::vector<std::size_t> listing() const override;
  [[nodiscard]] control::UnitStatus unit(std::size_t index) const override;
  [[nodiscard]] std::optional<std::string> act(control::Verb verb, std::size_t unit, int signal) override;
  [[nodiscard]] control::LogRange last_logs(const std::vector<std::size_t>& units, std::size_t lines) const override;
  [[nodiscard]] std::vector<control::LogLine> read_logs(const std::vector<std::size_t>& units, control::LogRange& range,
                                                        std::size_t bytes) const override;
  [[nodiscard]] bool captured(std::size_t unit) const override;
  [[nodiscard]] std::uint64_t reload(bool dry_run) override { return reloader_->reload(dry_run); }
  [[nodiscard]] std::uint64_t scale(const std::string& worker, unsigned replicas) override {
    return reloader_->scale(worker, replicas);
  }
  [[nodiscard]] std::optional<control::ReplanReport> replan_report(std::uint64_t ticket) const override {
    return reloader_->report(ticket);
  }

  /// Call when the engine has become ready: from then on "not ready" reads as degraded.
  void note_ready() { was_ready_ = true; }
  void note_migrated() { migrated_ = true; }

 private:
  const Setup* setup_;
  const engine::Engine* engine_;
  const logging::Ring* ring_;
  Reloader* reloader_;
  Act act_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  bool was_ready_ = false;
  bool migrated_ = false;
};

}  // namespace slipway::supervisor
