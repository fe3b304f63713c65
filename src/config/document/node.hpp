#pragma once
// A YAML or JSON document as a plain tree: every value knows where it was written. Aliases and merge keys are already
// resolved, nothing is interpolated or typed yet.

#include <string>
#include <string_view>
#include <vector>

#include "config/document/problems.hpp"

namespace slipway::config {

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  std::string text;            ///< of a scalar
  bool plain = true;           ///< written without quotes, so that its type may be judged from its text
  bool from_override = false;  ///< came from a variable: taken as it is, never interpolated
  std::vector<Node> items;     ///< of a list
  std::vector<Entry> entries;  ///< of a map, in the order written
  bool complete = true;        ///< of a root: the document was read to its end
  std::size_t weight = 1;      ///< number of nodes, this one included

  [[nodiscard]] const Entry* find(std::string_view key) const;
  [[nodiscard]] Entry* find(std::string_view key);
};

struct Entry {
  std::string key;
  Place place;  ///< of the key
  Node value;
};

/// The whole text must be one document. Reports syntax errors, duplicate keys, several documents, values that nest or
/// multiply beyond reason; returns what could be read even then. `file` is the index of add_file.
[[nodiscard]] Node read_yaml(std::string_view text, int file, Problems& problems);

/// Strict JSON (RFC 8259). Numbers keep their text. Reports like read_yaml.
[[nodiscard]] Node read_json(std::string_view text, int file, Problems& problems);

/// Reports what no reader accepts (NUL, control characters, invalid UTF-8) and drops a byte order mark.
/// Returns false when something was reported.
bool clean_text(std::string& text, int file, Problems& problems);

/// Beyond these limits a document is refused: no configuration comes near, and hostile ones stay cheap.
constexpr std::size_t kMaximumDepth = 64;
constexpr std::size_t kMaximumNodes = 100'000;

}  // namespace slipway::config
