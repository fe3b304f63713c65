#pragma once
// When a cron expression is due next. Changes of the clock are treated as by Vixie's cron:
//   - A job at fixed times (neither its minute nor its hour begins with `*`) runs once for each time of day. A time
//   that
//     a change leaves out runs right after it, however many of the job's times are left out; a time that comes twice
//     runs the first time.
//   - A job whose minute or hour begins with `*` follows real time: it runs whenever the clock shows a matching time,
//     so `*/5` keeps its pace through both changes, and `0 * * * *` runs once in every hour that passes.

#include <chrono>
#include <optional>

#include "config/schedule/cron.hpp"
#include "config/schedule/time_zone.hpp"

namespace slipway::engine {

/// The first due moment later than `after`. Empty beyond the year 9999.
[[nodiscard]] std::optional<std::chrono::sys_seconds> next_due(const config::Cron& cron, const config::TimeZone& zone,
                                                               std::chrono::sys_seconds after);

}  // namespace slipway::engine
