#pragma once
// The parts of a unit in the words of `slipway plan`. Pure.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "engine/plan.hpp"

namespace slipway::program {

/// A dependency on a worker: all its replicas at once.
struct WorkerDependency {
  std::string worker;
  config::Condition condition = config::Condition::kStarted;
  bool required = true;
};

[[nodiscard]] std::vector<WorkerDependency> dependencies_of(const engine::Plan& plan, const engine::UnitSpec& unit);

[[nodiscard]] std::string kind_words(const engine::UnitSpec& unit);
/// Built-in units may drop to a user of their own, which the configuration names.
[[nodiscard]] std::string user_words(const config::Configuration& configuration, const engine::UnitSpec& unit);
[[nodiscard]] std::string dependency_words(const engine::Plan& plan, const engine::UnitSpec& unit);
[[nodiscard]] std::string ready_words(const engine::UnitSpec& unit);
/// Empty without a schedule.
[[nodiscard]] std::string schedule_words(const engine::UnitSpec& unit);
[[nodiscard]] std::string health_words(const engine::UnitSpec& unit);
[[nodiscard]] std::string restart_words(const engine::UnitSpec& unit);
[[nodiscard]] std::string stop_words(const engine::UnitSpec& unit);
[[nodiscard]] std::string failure_words(const engine::UnitSpec& unit);

}  // namespace slipway::program
