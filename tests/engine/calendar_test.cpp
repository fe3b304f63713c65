// When cron expressions are due: by hand for the dates that matter, and against Python's zoneinfo for random ones.
#include "engine/calendar.hpp"

#include <cstdio>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace slipway::engine {
namespace {

using config::Cron;
using config::TimeZone;
using std::chrono::sys_seconds;

Cron cron(const std::string& text) {
  auto parsed = config::parse_cron(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Cron{});
}

TimeZone zone(const std::string& name) {
  auto loaded = TimeZone::load(name);
  EXPECT_TRUE(loaded.has_value()) << (loaded ? "" : loaded.error().message);
  return loaded.value_or(TimeZone{});
}

/// "2026-03-29 03:00 +02:00"
std::string shown(sys_seconds moment, const TimeZone& zone) {
  const auto offset = zone.at(moment).offset;
  const auto local = moment + offset;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(local - day);
  const auto minutes = std::chrono::abs(std::chrono::duration_cast<std::chrono::minutes>(offset)).count();
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d %c%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                offset.count() < 0 ? '-' : '+', static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
  return text;
}

struct Case {
  const char* about;
  const char* zone;
  const char* cron;
  std::chrono::year_month_day from;  ///< midnight UTC
  std::vector<std::string> due;
};

class CalendarTest : public testing::TestWithParam<Case> {};

TEST_P(CalendarTest, IsDueAt) {
  const Case& one = GetParam();
  const TimeZone in = zone(one.zone);
  sys_seconds after = std::chrono::sys_days(one.from);
  for (const std::string& expected : one.due) {
    const auto due = next_due(cron(one.cron), in, after);
    ASSERT_TRUE(due.has_value());
    EXPECT_EQ(shown(*due, in), expected) << one.about;
    after = *due;
  }
}

using namespace std::chrono;

const Case kCases[] = {
    {"every five minutes",
     "UTC",
     "*/5 * * * *",
     2026y / 11 / 23,
     {"2026-11-23 00:05 +00:00", "2026-11-23 00:10 +00:00"}},
    {"a list and a range",
     "UTC",
     "0 9-10,17 * * *",
     2026y / 1 / 1,
     {"2026-01-01 09:00 +00:00", "2026-01-01 10:00 +00:00", "2026-01-01 17:00 +00:00", "2026-01-02 09:00 +00:00"}},
    {"names and working days",
     "UTC",
     "0 8 * * mon-FRI",
     2026y / 11 / 20,
     {"2026-11-20 08:00 +00:00", "2026-11-23 08:00 +00:00"}},
    {"7 is Sunday", "UTC", "0 0 * * 7", 2026y / 11 / 23, {"2026-11-29 00:00 +00:00", "2026-12-06 00:00 +00:00"}},
    {"a range that ends on Sunday",
     "UTC",
     "0 0 * * sat-sun",
     2026y / 11 / 23,
     {"2026-11-28 00:00 +00:00", "2026-11-29 00:00 +00:00", "2026-12-05 00:00 +00:00"}},
    {"day of month or of week",
     "UTC",
     "0 0 13 * fri",
     2026y / 11 / 1,
     {"2026-11-06 00:00 +00:00", "2026-11-13 00:00 +00:00", "2026-11-20 00:00 +00:00", "2026-11-27 00:00 +00:00",
      "2026-12-04 00:00 +00:00", "2026-12-11 00:00 +00:00", "2026-12-13 00:00 +00:00"}},
    {"a step begins with *, so both must match",
     "UTC",
     "0 0 */2 * fri",
     2026y / 11 / 1,
     {"2026-11-13 00:00 +00:00", "2026-11-27 00:00 +00:00", "2026-12-11 00:00 +00:00"}},
    {"29 February, over a year that is none", "UTC", "0 0 29 2 *", 2097y / 1 / 1, {"2104-02-29 00:00 +00:00"}},
    {"@yearly", "UTC", "@yearly", 2026y / 1 / 1, {"2027-01-01 00:00 +00:00"}},
    {"@monthly", "UTC", "@monthly", 2026y / 1 / 2, {"2026-02-01 00:00 +00:00", "2026-03-01 00:00 +00:00"}},
    {"@weekly", "UTC", "@weekly", 2026y / 11 / 23, {"2026-11-29 00:00 +00:00"}},
    {"@daily is midnight over there", "America/New_York", "@daily", 2026y / 7 / 1, {"2026-07-01 00:00 -04:00"}},
    {"a time that is left out runs right after",
     "Europe/Berlin",
     "30 2 * * *",
     2026y / 3 / 28,
     {"2026-03-28 02:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-30 02:30 +02:00"}},
    {"several that are left out run once",
     "Europe/Berlin",
     "0,15,30 2,3 * * *",
     2026y / 3 / 29,
     {"2026-03-29 03:00 +02:00", "2026-03-29 03:15 +02:00", "2026-03-29 03:30 +02:00", "2026-03-30 02:00 +02:00"}},
    {"a time that comes twice runs once",
     "Europe/Berlin",
     "30 2 * * *",
     2026y / 10 / 24,
     {"2026-10-24 02:30 +02:00", "2026-10-25 02:30 +02:00", "2026-10-26 02:30 +01:00"}},
    {"*/30 keeps its pace when the clock goes forward",
     "Europe/Berlin",
     "*/30 * * * *",
     2026y / 3 / 29,
     {"2026-03-29 01:30 +01:00", "2026-03-29 03:00 +02:00", "2026-03-29 03:30 +02:00"}},
    {"and when it goes back",
     "Europe/Berlin",
     "*/30 * * * *",
     2026y / 10 / 25,
     {"2026-10-25 02:30 +02:00", "2026-10-25 02:00 +01:00", "2026-10-25 02:30 +01:00", "2026-10-25 03:00 +01:00"}},
    {"hourly is every hour that passes",
     "America/New_York",
     "@hourly",
     2026y / 11 / 1,
     {"2026-10-31 21:00 -04:00", "2026-10-31 22:00 -04:00", "2026-10-31 23:00 -04:00", "2026-11-01 00:00 -04:00",
      "2026-11-01 01:00 -04:00", "2026-11-01 01:00 -05:00", "2026-11-01 02:00 -05:00"}},
    {"New York forward",
     "America/New_York",
     "15 2 * * *",
     2026y / 3 / 8,
     {"2026-03-08 03:00 -04:00", "2026-03-09 02:15 -04:00"}},
    {"half an hour left out",
     "Australia/Lord_Howe",
     "15 2 * * *",
     2026y / 10 / 3,
     {"2026-10-04 02:30 +11:00", "2026-10-05 02:15 +11:00"}},
    {"half an hour twice",
     "Australia/Lord_Howe",
     "45 1 * * *",
     2026y / 4 / 4,
     {"2026-04-05 01:45 +11:00", "2026-04-06 01:45 +10:30"}},
    {"half an hour twice, following real time",
     "Australia/Lord_Howe",
     "*/15 * * * *",
     2026y / 4 / 4,
     {"2026-04-04 11:15 +11:00"}},
    {"a day that is left out",
     "Pacific/Apia",
     "0 12 * * *",
     2011y / 12 / 29,
     {"2011-12-29 12:00 -10:00", "2011-12-31 00:00 +14:00", "2011-12-31 12:00 +14:00"}},
    {"midnight is left out",
     "America/Havana",
     "0 0 * * *",
     2026y / 3 / 7,
     {"2026-03-07 00:00 -05:00", "2026-03-08 01:00 -04:00", "2026-03-09 00:00 -04:00"}},
};

INSTANTIATE_TEST_SUITE_P(Dates, CalendarTest, testing::ValuesIn(kCases));

TEST(Calendar, EndsWithTheYear9999) {
  EXPECT_EQ(next_due(cron("@yearly"), TimeZone(), sys_days(10000y / 1 / 1)), std::nullopt);
}

TEST(TimeZones, AreRefusedByNameOrForWantOfADatabase) {
  EXPECT_NE(TimeZone::load("Mars/Olympus").error().message.find("there is no time zone"), std::string::npos);
  ::setenv("TZDIR", "/nonexistent", 1);
  const auto missing = TimeZone::load("Asia/Tokyo");
  const auto utc = TimeZone::load("UTC");
  ::unsetenv("TZDIR");
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("install tzdata, or use UTC"), std::string::npos);
  EXPECT_TRUE(utc.has_value());
}

TEST(Calendar, AgreesWithPythonOnRandomExpressions) {
  const char* const given = std::getenv("SLIPWAY_SEED");
  const std::string seed = given != nullptr ? given : std::to_string(std::random_device{}());
  const std::string command = "/usr/bin/python3 '" SLIPWAY_TEST_DATA "/calendar_oracle.py' " + seed + " 150";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> oracle(::popen(command.c_str(), "r"), &::pclose);
  ASSERT_NE(oracle, nullptr);
  int cases = 0;
  int dues = 0;
  static char line[1 << 17];
  while (std::fgets(line, sizeof line, oracle.get()) != nullptr) {
    std::istringstream parts(line);
    std::string name, text, from, until, expected;
    std::getline(parts, name, '|');
    std::getline(parts, text, '|');
    std::getline(parts, from, '|');
    std::getline(parts, until, '|');
    std::getline(parts, expected);
    auto parsed = config::parse_cron(text);
    if (!parsed) {  // what can never come is due never
      EXPECT_EQ(expected, "") << text << ": " << parsed.error().message;
      continue;
    }
    const TimeZone in = zone(name);
    std::string found;
    sys_seconds after{seconds(std::stoll(from))};
    while (const auto due = next_due(*parsed, in, after)) {
      if (*due > sys_seconds(seconds(std::stoll(until)))) break;
      found += (found.empty() ? "" : " ") + std::to_string(due->time_since_epoch().count());
      after = *due;
      ++dues;
    }
    ASSERT_EQ(found, expected) << text << " in " << name << " from " << from << ", SLIPWAY_SEED=" << seed;
    ++cases;
  }
  EXPECT_GT(cases, 100) << "the oracle did not answer, SLIPWAY_SEED=" << seed;
  EXPECT_GT(dues, 100);
}

}  // namespace
}  // namespace slipway::engine
