#include "engine/calendar.hpp"

namespace slipway::engine {
namespace {

using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::sys_seconds;

/// The Gregorian calendar repeats after 400 years; the rarest expression, a 29 February on one day of the week, comes
/// within 40.
constexpr int kLongestSearch = 41 * 366;
constexpr sys_seconds kEndOfTime = std::chrono::sys_days(std::chrono::year(9999) / 12 / 31);

/// The first matching time of day not before `from`; negative when there is none.
int first_minute(const config::Cron& cron, int from) {
  for (int hour = from / 60; hour < 24; ++hour) {
    if ((cron.hours >> hour & 1U) == 0) continue;
    const int first = hour == from / 60 ? from % 60 : 0;
    const std::uint64_t left = cron.minutes >> first << first;
    if (left != 0) return hour * 60 + __builtin_ctzll(left);
  }
  return -1;
}

/// The first matching time not before `from`, on a clock that never changes.
std::optional<local_seconds> first_match(const config::Cron& cron, local_seconds from) {
  const auto start = std::chrono::ceil<minutes>(from);
  auto day = std::chrono::floor<std::chrono::days>(start);
  int minute = static_cast<int>((start - day).count());
  for (int i = 0; i < kLongestSearch; ++i, day += std::chrono::days(1), minute = 0) {
    if (!config::matches(cron, std::chrono::year_month_day(day))) continue;
    const int found = first_minute(cron, minute);
    if (found >= 0) return day + minutes(found);
  }
  return std::nullopt;
}

local_seconds local_of(sys_seconds moment, std::chrono::seconds offset) {
  return local_seconds(moment.time_since_epoch() + offset);
}

/// Times that come twice lie behind `after` the second time and are passed over; times that are left out have the same
/// moment, and so make one run.
std::optional<sys_seconds> next_fixed(const config::Cron& cron, const config::TimeZone& zone, sys_seconds after) {
  local_seconds from = local_of(after, zone.at(after).offset) + std::chrono::seconds(1);
  while (const std::optional<local_seconds> match = first_match(cron, from)) {
    const sys_seconds moment = zone.first(*match);
    if (moment > after) return moment;
    from = *match + minutes(1);
  }
  return std::nullopt;
}

/// Stretch by stretch of equal offset: what the clock does not show, or shows twice, is so in the job's eyes, too.
std::optional<sys_seconds> next_wildcard(const config::Cron& cron, const config::TimeZone& zone, sys_seconds after) {
  sys_seconds from = after + std::chrono::seconds(1);
  while (from < kEndOfTime) {
    const config::TimeZone::Stretch stretch = zone.at(from);
    const std::optional<local_seconds> match = first_match(cron, local_of(from, stretch.offset));
    if (!match) return std::nullopt;
    const sys_seconds moment{match->time_since_epoch() - stretch.offset};
    if (moment < stretch.end) return moment;
    from = stretch.end;
  }
  return std::nullopt;
}

}  // namespace

std::optional<sys_seconds> next_due(const config::Cron& cron, const config::TimeZone& zone, sys_seconds after) {
  if (after >= kEndOfTime) return std::nullopt;
  return cron.wildcard ? next_wildcard(cron, zone, after) : next_fixed(cron, zone, after);
}

}  // namespace slipway::engine
