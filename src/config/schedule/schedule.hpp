#pragma once
// When a job runs and what happens while its last run is not over: the section `schedule` of a worker.

#include <chrono>
#include <optional>

#include "config/schedule/cron.hpp"
#include "config/schedule/time_zone.hpp"

namespace slipway::config {

enum class Overlap { kForbid, kAllow, kReplace };

/// When a scheduled worker runs: cron or every is given.
struct Schedule {
  std::optional<Cron> cron;
  std::optional<std::chrono::milliseconds> every;
  TimeZone timezone;
  Overlap overlap = Overlap::kForbid;
  unsigned max_runs = 4;  ///< at the same time, with Overlap::kAllow
  std::chrono::milliseconds jitter{0};
  bool run_at_boot = false;
  bool operator==(const Schedule&) const = default;
};

}  // namespace slipway::config
