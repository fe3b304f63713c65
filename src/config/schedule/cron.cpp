#include "config/schedule/cron.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>
#include <vector>

namespace slipway::config {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct FieldRule {
  const char* name;
  unsigned first;
  unsigned last;
  std::span<const std::string_view> words;  ///< the first one stands for `first`
};
constexpr std::array<FieldRule, 5> kFields{{{"minute", 0, 59, {}},
                                            {"hour", 0, 23, {}},
                                            {"day of month", 1, 31, {}},
                                            {"month", 1, 12, kMonths},
                                            {"day of week", 0, 7, kWeekdays}}};

struct Nickname {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array<Nickname, 7> kNicknames{{{"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@hourly", "0 * * * *"}}};

tl::unexpected<Error> refuse(std::string message) { return failure(ExitCode::kConfiguration, std::move(message)); }

tl::unexpected<Error> refuse(const FieldRule& rule, std::string_view text, const std::string& why) {
  return refuse(std::string(rule.name) + " \"" + std::string(text) + "\": " + why);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  return result;
}

std::string expected(const FieldRule& rule) {
  std::string text = "expected a number from " + std::to_string(rule.first) + " to " + std::to_string(rule.last);
  if (!rule.words.empty()) text += ", or a name such as " + std::string(rule.words[1]);
  return text;
}

Result<unsigned> parse_value(const FieldRule& rule, std::string_view text) {
  const std::string name = lower(text);
  const auto word = std::find(rule.words.begin(), rule.words.end(), name);
  if (word != rule.words.end()) return rule.first + static_cast<unsigned>(word - rule.words.begin());
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fits = error == std::errc() && end == text.data() + text.size() && !text.empty();
  if (!fits || number < rule.first || number > rule.last) return refuse(rule, text, expected(rule));
  return number;
}

/// `*`, `5`, `1-5`, and with a step `*/2`, `10-50/10`.
Result<std::uint64_t> parse_item(const FieldRule& rule, std::string_view item) {
  const std::size_t slash = item.find('/');
  const std::string_view range = item.substr(0, slash);
  const std::size_t dash = range.find('-');
  Result<unsigned> low = rule.first;
  Result<unsigned> high = rule.last;
  if (range != "*") {
    low = parse_value(rule, range.substr(0, dash));
    if (!low) return tl::unexpected(low.error());
    high = dash == std::string_view::npos ? low : parse_value(rule, range.substr(dash + 1));
    if (!high) return tl::unexpected(high.error());
    // sat-sun ends with the week, which Sunday begins and ends.
    if (*high == 0 && *low > 0 && rule.last == 7) high = 7;
    if (*low > *high) return refuse(rule, range, "a range goes upwards");
  }
  unsigned step = 1;
  if (slash != std::string_view::npos) {
    if (range != "*" && dash == std::string_view::npos)
      return refuse(rule, item,
                    "a step needs a range, such as " + std::string(range) + "-" + std::to_string(rule.last) +
                        std::string(item.substr(slash)));
    const std::string_view text = item.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
    if (error != std::errc() || end != text.data() + text.size() || step == 0 || step > rule.last)
      return refuse(rule, item, "expected a step from 1 to " + std::to_string(rule.last) + " after the /");
  }
  std::uint64_t set = 0;
  for (unsigned value = *low; value <= *high; value += step) set |= std::uint64_t{1} << value;
  return set;
}

Result<std::uint64_t> parse_field(const FieldRule& rule, std::string_view field) {
  std::uint64_t set = 0;
  for (const std::string_view item : split(field, ",")) {
    const Result<std::uint64_t> part = parse_item(rule, item);
    if (!part) return part;
    set |= *part;
  }
  return set;
}

/// The longest each month can be.
constexpr std::array<unsigned, 12> kLongest{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

bool can_come(const Cron& cron) {
  if (cron.either_day) return true;  // the day of the week comes every week
  for (unsigned month = 1; month <= 12; ++month) {
    const auto days = (std::uint64_t{1} << (kLongest[month - 1] + 1)) - 2;
    if ((cron.months >> month & 1U) != 0 && (cron.days & days) != 0) return true;
  }
  return false;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  Cron cron;
  cron.text = text;
  std::string meaning(text);
  if (text.starts_with('@')) {
    const std::string name = lower(text);
    const auto* known = std::find_if(kNicknames.begin(), kNicknames.end(),
                                     [&](const Nickname& nickname) { return nickname.name == name; });
    if (name == "@reboot") return refuse("@reboot is not a time: write `run_at_boot: true`");
    if (known == kNicknames.end())
      return refuse("expected @hourly, @daily, @weekly, @monthly or @yearly, got \"" + std::string(text) + '"');
    meaning = known->meaning;
  }
  std::vector<std::string_view> fields = split(meaning, " \t");
  std::erase(fields, std::string_view());
  if (fields.size() != kFields.size()) {
    std::string message =
        "expected five fields (minute, hour, day of month, month, day of week), got " + std::to_string(fields.size());
    return refuse(message + (fields.size() == 6 ? "; there is no field for seconds: use `every`" : ""));
  }
  std::array<std::uint64_t, 5> sets{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Result<std::uint64_t> set = parse_field(kFields[i], fields[i]);
    if (!set) return tl::unexpected(set.error());
    sets[i] = *set;
  }
  const auto starred = [&](std::size_t field) { return fields[field].starts_with('*'); };
  cron.minutes = sets[0];
  cron.hours = static_cast<std::uint32_t>(sets[1]);
  cron.days = static_cast<std::uint32_t>(sets[2]);
  cron.months = static_cast<std::uint32_t>(sets[3]);
  cron.weekdays = static_cast<std::uint32_t>((sets[4] | sets[4] >> 7) & 0x7F);  // 7 is Sunday, too
  cron.either_day = !starred(2) && !starred(4);
  cron.wildcard = starred(0) || starred(1);
  if (!can_come(cron))
    return refuse("\"" + cron.text + "\" never comes: none of its months has a day " + std::string(fields[2]));
  return cron;
}

bool matches(const Cron& cron, std::chrono::year_month_day day) {
  if ((cron.months >> static_cast<unsigned>(day.month()) & 1U) == 0) return false;
  const bool in_month = (cron.days >> static_cast<unsigned>(day.day()) & 1U) != 0;
  const std::chrono::weekday weekday{std::chrono::sys_days(day)};
  const bool in_week = (cron.weekdays >> weekday.c_encoding() & 1U) != 0;
  return cron.either_day ? in_month || in_week : in_month && in_week;
}

}  // namespace slipway::config
