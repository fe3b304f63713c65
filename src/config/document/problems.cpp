#include "config/document/problems.hpp"

#include <algorithm>

namespace slipway::config {

std::string to_string(const Diagnostic& diagnostic) {
  std::string text = diagnostic.file;
  if (diagnostic.line > 0) text += ":" + std::to_string(diagnostic.line);
  if (diagnostic.line > 0 && diagnostic.column > 0) text += ":" + std::to_string(diagnostic.column);
  if (!text.empty()) text += ": ";
  return text + diagnostic.message;
}

int Problems::add_file(std::string name) {
  files_.push_back(std::move(name));
  return static_cast<int>(files_.size()) - 1;
}

void Problems::add(const Place& place, std::string message) {
  constexpr std::size_t kMost = 1000;
  if (entries_.size() < kMost)
    entries_.push_back({place, std::move(message)});
  else if (entries_.size() == kMost)
    entries_.push_back({{static_cast<int>(files_.size()), 0, 0}, "there are more problems than can be shown"});
}

std::vector<Diagnostic> Problems::sorted() const {
  std::vector<Entry> ordered = entries_;
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Entry& left, const Entry& right) { return left.place < right.place; });
  std::vector<Diagnostic> result;
  for (Entry& entry : ordered) {
    const auto file = static_cast<std::size_t>(entry.place.file);
    Diagnostic diagnostic{file < files_.size() ? files_[file] : std::string(), entry.place.line, entry.place.column,
                          std::move(entry.message)};
    if (std::find(result.begin(), result.end(), diagnostic) == result.end()) result.push_back(std::move(diagnostic));
  }
  return result;
}

}  // namespace slipway::config
