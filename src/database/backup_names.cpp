#include "database/backup_names.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

namespace slipway::database {
namespace {

constexpr std::string_view kInfix = ".pre-migrate-";
constexpr std::string_view kPattern =
    "dddddddd"
    "T"
    "dddddd"
    "Z";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The time and the collision's number, comparable.
using Age = std::pair<std::string, unsigned long>;

std::optional<Age> parse_age(std::string_view text) {
  if (text.size() < kPattern.size()) return {};
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    if (kPattern[i] == 'd' ? !is_digit(text[i]) : text[i] != kPattern[i]) return {};
  }
  Age age{text.substr(0, kPattern.size()), 0};
  text.remove_prefix(kPattern.size());
  if (text.empty()) return age;
  if (text.front() != '-' || text.size() < 2 || text.size() > 10) return {};
  text.remove_prefix(1);
  if (!std::all_of(text.begin(), text.end(), is_digit)) return {};
  age.second = std::stoul(std::string(text));
  return age;
}

}  // namespace

BackupNames::BackupNames(const std::string& database)
    : stem_(std::filesystem::path(database).stem().string()),
      suffix_(std::filesystem::path(database).extension().string()) {}

std::string BackupNames::name(std::chrono::system_clock::time_point at, unsigned collision) const {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return stem_ + std::string(kInfix) + text.data() + (collision == 0 ? "" : "-" + std::to_string(collision)) + suffix_;
}

std::string BackupNames::partial(const std::string& unique) const {
  return "." + stem_ + std::string(kInfix) + unique + ".partial";
}

bool BackupNames::is_partial(const std::string& name) const {
  // SQLite's own sidecars of a partial file as well.
  return name.starts_with("." + stem_ + std::string(kInfix)) && name.find(".partial") != std::string::npos;
}

std::vector<std::string> BackupNames::backups(const std::vector<std::string>& names) const {
  const std::string prefix = stem_ + std::string(kInfix);
  std::vector<std::pair<Age, std::string>> found;
  for (const auto& name : names) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix_) || name.size() < prefix.size() + suffix_.size()) continue;
    const auto middle = std::string_view(name).substr(prefix.size(), name.size() - prefix.size() - suffix_.size());
    if (auto age = parse_age(middle)) found.emplace_back(std::move(*age), name);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> result;
  result.reserve(found.size());
  for (auto& [age, name] : found) result.push_back(std::move(name));
  return result;
}

unsigned BackupNames::next_collision(std::chrono::system_clock::time_point at,
                                     const std::vector<std::string>& names) const {
  const std::string first = name(at, 0);
  const std::string second = first.substr(0, first.size() - suffix_.size());
  unsigned next = 0;
  for (const auto& taken : backups(names)) {
    if (!taken.starts_with(second)) continue;
    const auto number = std::string_view(taken).substr(second.size(), taken.size() - second.size() - suffix_.size());
    const unsigned long collision = number.empty() ? 0 : std::stoul(std::string(number.substr(1)));
    next = std::max(next, static_cast<unsigned>(collision) + 1);
  }
  return next;
}

std::vector<std::string> BackupNames::surplus(const std::vector<std::string>& names, unsigned keep,
                                              const std::string& made) const {
  auto found = backups(names);
  if (keep == 0) return {};
  std::erase(found, made);
  const std::size_t others = keep - 1;
  found.resize(found.size() > others ? found.size() - others : 0);
  return found;
}

}  // namespace slipway::database
