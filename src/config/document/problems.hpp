#pragma once
// Collects every problem of one load, with its place, and hands them out in file order. Owned by one load() call.

#include <string>
#include <vector>

#include "config/loader.hpp"

namespace slipway::config {

/// Where a value was written: `file` is an index given by Problems::add_file; line and column count from 1, 0 = none.
struct Place {
  int file = 0;
  int line = 0;
  int column = 0;
  auto operator<=>(const Place&) const = default;
};

class Problems {
 public:
  /// Names a file (or a variable) for the places in it. Problems come out in the order of these calls.
  int add_file(std::string name);
  /// After a thousand the rest is only mentioned: a hostile file must not cost more than it is worth.
  void add(const Place& place, std::string message);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// Sorted by place, each once; problems of one place stay in the order they were found.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  struct Entry {
    Place place;
    std::string message;
  };
  std::vector<std::string> files_;
  std::vector<Entry> entries_;
};

}  // namespace slipway::config
