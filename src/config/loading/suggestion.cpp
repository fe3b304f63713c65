#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "config/loading/scalars.hpp"

namespace slipway::config {
namespace {

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& byte : result) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
    if (byte == '-') byte = '_';
  }
  return result;
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before(right.size() + 1);
  std::vector<std::size_t> last(right.size() + 1);
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(last.begin(), last.end(), 0U);
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[right.size()];
}

}  // namespace

std::string closest(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t kLongestName = 64;
  if (wrong.empty() || wrong.size() > kLongestName) return {};
  const std::string mine = folded(wrong);
  const std::size_t limit = std::min<std::size_t>(3, 1 + mine.size() / 4);
  std::string best;
  std::size_t best_distance = limit + 1;
  for (const std::string_view candidate : candidates) {
    const std::string theirs = folded(candidate);
    const std::size_t edits = distance(mine, theirs);
    if (edits < best_distance && edits < std::max(mine.size(), theirs.size())) {
      best = candidate;
      best_distance = edits;
    }
  }
  if (!best.empty() || mine.size() < 3) return best;
  for (const std::string_view candidate : candidates) {
    const std::string theirs = folded(candidate);
    if (theirs.starts_with(mine) || (theirs.size() >= 3 && mine.starts_with(theirs))) return std::string(candidate);
  }
  return {};
}

/// What the same thing is called in Compose, systemd and supervisord.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOtherNames{{
    {"services", "workers"},
    {"programs", "workers"},
    {"processes", "workers"},
    {"env", "environment"},
    {"cmd", "command"},
    {"entrypoint", "command"},
    {"cwd", "working_dir"},
    {"directory", "working_dir"},
    {"working_directory", "working_dir"},
    {"autorestart", "restart"},
    {"numprocs", "replicas"},
    {"scale", "replicas"},
}};

std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates) {
  std::string meant = closest(wrong, candidates);
  for (const auto& [other, ours] : kOtherNames)
    if (other == wrong && std::find(candidates.begin(), candidates.end(), ours) != candidates.end()) meant = ours;
  return meant.empty() ? std::string() : "; did you mean '" + meant + "'?";
}

}  // namespace slipway::config
