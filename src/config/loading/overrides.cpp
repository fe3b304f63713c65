#include "config/loading/overrides.hpp"

#include <algorithm>

#include "config/loading/binder.hpp"
#include "config/loading/scalars.hpp"

namespace slipway::config {
namespace {

constexpr std::string_view kPrefix = "SLIPWAY__";

std::string folded(std::string_view text) {
  std::string result(text);
  for (char& byte : result) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
    if (byte == '-' || byte == '.') byte = '_';
  }
  return result;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t at = text.find("__"); at != std::string_view::npos; at = text.find("__")) {
    parts.emplace_back(text.substr(0, at));
    text.remove_prefix(at + 2);
  }
  parts.emplace_back(text);
  return parts;
}

bool is_structured(Kind kind) { return kind == Kind::kList || kind == Kind::kMap || kind == Kind::kStruct; }

/// One variable on its way down the document.
class Override {
 public:
  Override(const std::string& name, std::string value, int file, Problems& problems)
      : parts_(split(std::string_view(name).substr(kPrefix.size()))),
        value_(std::move(value)),
        place_{file, 0, 0},
        problems_(problems) {}

  void apply(Node& root) { descend(root, configuration_type(), Kind::kStruct, {}); }

 private:
  void fail(const std::string& message) { problems_.add(place_, message); }

  void descend(Node& node, const Type& type, Kind kind, const Rules& rules) {
    if (next_ == parts_.size()) return set(node, type, kind, rules);
    if (type.kind == Kind::kStruct) return into_struct(node, type);
    if (type.kind == Kind::kMap) return into_map(node, type, rules);
    fail("'" + folded(parts_[next_ - 1]) + "' has no keys of its own");
  }

  void into_struct(Node& node, const Type& type) {
    const std::string part = folded(parts_[next_]);
    std::vector<std::string_view> keys;
    for (const Field& field : type.fields) {
      keys.push_back(field.key);
      if (field.key != part) continue;
      ++next_;
      return descend(child(node, type, part), *field.type, field.kind, field.rules);
    }
    fail("unknown key " + shown({part}) + " in " + std::string(type.name) + suggestion(part, keys));
  }

  void into_map(Node& node, const Type& type, const Rules& rules) {
    if (node.kind == Node::Kind::kList) return fail("the file has a list here: write it as a map to override one key");
    std::string part = parts_[next_++];
    if (!is_structured(type.element->kind))  // the rest is one name, whatever it contains
      while (next_ < parts_.size()) part += "__" + parts_[next_++];
    std::vector<std::string_view> keys;
    for (const Entry& entry : node.entries) {
      keys.push_back(entry.key);
      if (folded(entry.key) == folded(part)) part = entry.key;
    }
    if (rules.keys == KeyStyle::kLowerCase && node.find(part) == nullptr) part = folded(part);
    if (rules.keys == KeyStyle::kExisting && node.find(part) == nullptr)
      return fail("no " + shown({folded(part)}) + " in the configuration" + suggestion(folded(part), keys));
    descend(child(node, type, part), *type.element, type.element->kind, {});
  }

  /// The value under `key`, made when missing. What cannot have keys is replaced by a map.
  Node& child(Node& node, const Type& type, const std::string& key) {
    if (is_shorthand(node, type)) {
      Node map;
      map.place = node.place;
      map.entries.push_back({std::string(type.shorthand), node.place, std::move(node)});
      node = std::move(map);
    }
    if (node.kind != Node::Kind::kMap) {
      node.items.clear();
      node.text.clear();
      if (node.kind == Node::Kind::kNull) node.place = place_;
      node.kind = Node::Kind::kMap;
    }
    if (Entry* const known = node.find(key); known != nullptr) return known->value;
    node.entries.push_back({key, place_, Node{}});
    node.entries.back().value.place = place_;
    return node.entries.back().value;
  }

  void set(Node& node, const Type& type, Kind kind, const Rules& rules) {
    const std::size_t first = value_.find_first_not_of(" \t\n");
    const char begins = first == std::string::npos ? '\0' : value_[first];
    const bool command = kind == Kind::kCommand || kind == Kind::kHealthTest;
    const bool short_form = command || rules.one_or_list || !type.shorthand.empty();
    if ((is_structured(kind) && !short_form) || (short_form && (begins == '[' || begins == '{'))) {
      Problems problems;
      problems.add_file("");
      Node parsed = read_yaml(value_, 0, problems);
      if (!problems.empty()) return fail(problems.sorted().front().message);
      adopt(parsed);
      node = std::move(parsed);
      return;
    }
    node = Node{};
    node.kind = Node::Kind::kScalar;
    node.place = place_;
    node.text = value_;
    node.from_override = true;
  }

  /// A parsed value belongs to the variable as a whole.
  void adopt(Node& node) {
    node.place = place_;
    node.from_override = true;
    for (Node& item : node.items) adopt(item);
    for (Entry& entry : node.entries) {
      entry.place = place_;
      adopt(entry.value);
    }
  }

  std::vector<std::string> parts_;
  std::size_t next_ = 0;
  std::string value_;
  Place place_;
  Problems& problems_;
};

}  // namespace

void apply_overrides(Node& root, const StringMap& variables, Problems& problems) {
  for (auto variable = variables.lower_bound(std::string(kPrefix)); variable != variables.end(); ++variable) {
    if (!variable->first.starts_with(kPrefix)) break;
    const int file = problems.add_file(variable->first);
    Override(variable->first, variable->second, file, problems).apply(root);
  }
}

}  // namespace slipway::config
