#include "supervisor/plan_facts.hpp"

#include <unistd.h>

namespace slipway::supervisor {

std::vector<std::string> unit_names(const engine::Plan& plan) {
  std::vector<std::string> names;
  for (const engine::UnitSpec& unit : plan.units) names.push_back(unit.name);
  return names;
}

bool knows_time_of_day(const engine::Plan& plan) {
  for (const engine::UnitSpec& unit : plan.units) {
    if (unit.schedule && unit.schedule->cron) return true;
  }
  return false;
}

int own_stream(const engine::Plan& plan) {
  for (const engine::UnitSpec& unit : plan.units) {
    if (unit.forwards_signals) return STDERR_FILENO;
  }
  return STDOUT_FILENO;
}

}  // namespace slipway::supervisor
