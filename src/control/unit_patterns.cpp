#include "control/unit_patterns.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace slipway::control {
namespace {

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i] == right[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

struct Names {
  std::size_t index = 0;
  std::string unit;
  std::string worker;
};

std::string unknown_unit(const std::vector<Names>& names, const std::string& pattern) {
  constexpr std::size_t kLongestEcho = 64;
  std::string message = pattern.substr(0, kLongestEcho) + ": no such unit";
  if (pattern.size() > kLongestEcho) return message;
  const Names* nearest = nullptr;
  std::size_t best = 3;
  for (const Names& candidate : names) {
    const std::size_t distance = edit_distance(pattern, candidate.worker);
    if (distance < best) {
      best = distance;
      nearest = &candidate;
    }
  }
  if (nearest != nullptr) return message + "; did you mean '" + nearest->worker + "'?";
  return message + ": `slipway status` lists them";
}

}  // namespace

Result<std::vector<std::size_t>> match_units(const Handler& handler, const std::vector<std::string>& patterns) {
  std::vector<Names> names;
  for (const std::size_t index : handler.listing()) {
    const UnitStatus unit = handler.unit(index);
    names.push_back({index, unit.name, unit.worker});
  }
  std::vector<bool> wanted(names.size(), false);
  for (const std::string& pattern : patterns) {
    bool found = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].unit != pattern && names[i].worker != pattern) continue;
      wanted[i] = true;
      found = true;
    }
    if (!found) return failure(ExitCode::kUsage, unknown_unit(names, pattern));
  }
  std::vector<std::size_t> indexes;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) indexes.push_back(names[i].index);
  }
  return indexes;
}

}  // namespace slipway::control
