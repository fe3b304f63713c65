#pragma once
// A time zone by its IANA name. Loading reads the zone database; everything afterwards is a look-up in memory: no
// system call, no allocation, no global state such as TZ.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "config/error.hpp"

namespace slipway::config {

class TimeZone {
 public:
  using Moment = std::chrono::sys_seconds;
  using LocalTime = std::chrono::local_seconds;

  /// A stretch of time with one offset from UTC.
  struct Stretch {
    std::chrono::seconds offset{0};
    Moment end = Moment::max();  ///< when the next one begins
  };

  /// UTC, which needs no database.
  TimeZone() = default;

  /// Errors (kConfiguration): no such zone, or no zone database in this image. The message has no place.
  [[nodiscard]] static Result<TimeZone> load(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] Stretch at(Moment moment) const;
  /// When the zone's clocks first show this time. For a time that a change of the clock leaves out, the moment of that
  /// change.
  [[nodiscard]] Moment first(LocalTime local) const;

  bool operator==(const TimeZone& other) const { return name_ == other.name_; }

 private:
  struct Rules;
  std::string name_ = "UTC";
  std::shared_ptr<const Rules> rules_;  ///< null: UTC
};

}  // namespace slipway::config
