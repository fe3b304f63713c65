#include "config/schedule/time_zone.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>
#include <algorithm>
#include <cstdlib>
#include <unistd.h>

namespace slipway::config {
namespace {

absl::CivilSecond to_civil(TimeZone::LocalTime local) {
  return absl::CivilSecond(1970, 1, 1) + local.time_since_epoch().count();
}

TimeZone::Moment to_moment(absl::Time time) {
  return TimeZone::Moment(std::chrono::seconds(absl::ToUnixSeconds(time)));
}

/// The library takes more than names: paths, `localtime`, `libc:`. A name has none of their characters.
bool is_zone_name(std::string_view name) {
  const auto part_of_name = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '/' || byte == '_' || byte == '+' || byte == '-';
  };
  return !name.empty() && name.front() != '/' && name != "localtime" &&
         std::all_of(name.begin(), name.end(), part_of_name);
}

bool has_database() {
  const char* const elsewhere = std::getenv("TZDIR");
  return ::access(elsewhere != nullptr ? elsewhere : "/usr/share/zoneinfo", R_OK | X_OK) == 0;
}

}  // namespace

struct TimeZone::Rules {
  absl::TimeZone zone;
};

Result<TimeZone> TimeZone::load(std::string_view name) {
  TimeZone zone;
  if (name == "UTC") return zone;
  const std::string shown = '"' + std::string(name) + '"';
  if (!is_zone_name(name))
    return failure(ExitCode::kConfiguration, "expected the name of a time zone such as Europe/Berlin, got " + shown);
  Rules rules;
  if (!absl::LoadTimeZone(std::string(name), &rules.zone)) {
    if (has_database()) return failure(ExitCode::kConfiguration, "there is no time zone " + shown);
    return failure(ExitCode::kConfiguration,
                   shown + ": this image has no time zone database (/usr/share/zoneinfo): install tzdata, or use UTC");
  }
  zone.name_ = name;
  zone.rules_ = std::make_shared<const Rules>(rules);
  return zone;
}

TimeZone::Stretch TimeZone::at(Moment moment) const {
  if (!rules_) return {};
  const absl::Time time = absl::FromUnixSeconds(moment.time_since_epoch().count());
  Stretch stretch;
  stretch.offset = std::chrono::seconds(rules_->zone.At(time).offset);
  absl::TimeZone::CivilTransition change;
  if (!rules_->zone.NextTransition(time, &change)) return stretch;
  // Of the two times that meet there, the one that is left out or shown twice names the moment.
  const absl::TimeZone::TimeInfo info = rules_->zone.At(std::min(change.from, change.to));
  stretch.end = to_moment(info.trans);
  return stretch;
}

TimeZone::Moment TimeZone::first(LocalTime local) const {
  if (!rules_) return Moment(local.time_since_epoch());
  const absl::TimeZone::TimeInfo info = rules_->zone.At(to_civil(local));
  return to_moment(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
}

}  // namespace slipway::config
