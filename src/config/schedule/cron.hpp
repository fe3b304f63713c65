#pragma once
// Cron expressions: five fields (minute, hour, day of month, month, day of week) or @hourly, @daily, @weekly, @monthly,
// @yearly. Fields are `*`, numbers, names (jan, mon), ranges, lists and steps, as in Vixie's cron. Pure.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/error.hpp"

namespace slipway::config {

/// A parsed expression. Bit n of a set stands for the number n; Sunday is 0.
struct Cron {
  std::string text;  ///< as it was written
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
  std::uint32_t days = 0;
  std::uint32_t months = 0;
  std::uint32_t weekdays = 0;
  /// Neither day field begins with `*`: a day matches when one of the two does. Otherwise both must.
  bool either_day = false;
  /// The minute or the hour begins with `*`: the job follows real time through a change of the clock (engine/calendar).
  bool wildcard = false;
  bool operator==(const Cron&) const = default;
};

/// Refuses what does not parse and what can never come (the 31st of February). The message has no place: callers
/// prefix theirs.
[[nodiscard]] Result<Cron> parse_cron(std::string_view text);

[[nodiscard]] bool matches(const Cron& cron, std::chrono::year_month_day day);

}  // namespace slipway::config
