#include "config/loading/binder.hpp"

#include <algorithm>
#include <array>

#include "config/loading/interpolation.hpp"
#include "config/loading/scalars.hpp"
#include "config/notation.hpp"

namespace slipway::config {
namespace {

std::string join(const std::string& parent, std::string_view key) {
  return parent.empty() ? std::string(key) : parent + "." + std::string(key);
}

Place nearest(const std::map<std::string, Place>& places, std::string path) {
  while (true) {
    if (const auto known = places.find(path); known != places.end()) return known->second;
    const std::size_t cut = path.find_last_of(".[");
    if (cut == std::string::npos) return {};
    path.resize(cut);
  }
}

std::string kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "nothing";
    case Node::Kind::kList:
      return "a list";
    case Node::Kind::kMap:
      return "a map";
    case Node::Kind::kScalar:
      break;
  }
  return "text";
}

bool is_letter_or_digit(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

/// Names of variables, headers and settings.
bool is_name(std::string_view text) {
  if (text.empty() || (text[0] >= '0' && text[0] <= '9')) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return is_letter_or_digit(byte) || byte == '_' || byte == '.' || byte == '-'; });
}

constexpr std::array<std::string_view, 6> kReserved{"initdb", "postgres", "database", "migrate", "http", "main"};

std::string worker_name_problem(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end())
    return "the name '" + std::string(name) + "' belongs to a built-in unit: choose another";
  const bool fits = !name.empty() && name.size() <= kLongest && is_letter_or_digit(name[0]) &&
                    std::all_of(name.begin(), name.end(), [](char byte) {
                      return is_letter_or_digit(byte) || byte == '_' || byte == '.' || byte == '-';
                    });
  if (fits) return {};
  return "invalid worker name " + shown({std::string(name)}) +
         ": use at most 64 letters, digits, '_', '.' and '-', beginning with a letter or digit";
}

}  // namespace

bool is_shorthand(const Node& node, const Type& type) {
  if (type.shorthand.empty()) return false;
  if (node.kind == Node::Kind::kScalar) return true;
  const auto field = std::find_if(type.fields.begin(), type.fields.end(),
                                  [&](const Field& candidate) { return candidate.key == type.shorthand; });
  return node.kind == Node::Kind::kList && field != type.fields.end() && field->kind == Kind::kCommand;
}

Place Places::key(const std::string& path) const { return nearest(keys, path); }

Place Places::value(const std::string& path) const {
  const auto known = values.find(path);
  return known != values.end() ? known->second : nearest(keys, path);
}

void Binder::problem(const Place& place, const Slot& slot, const std::string& message) {
  problems_.add(place, slot.label.empty() ? message : slot.label + ": " + message);
}

void Binder::bind_root(const Node& root, Configuration& configuration,
                       const std::function<bool(std::string_view)>& wanted, bool report_unknown) {
  const Type& type = configuration_type();
  for (const Entry& entry : root.entries) {
    const auto field = std::find_if(type.fields.begin(), type.fields.end(),
                                    [&](const Field& candidate) { return candidate.key == entry.key; });
    if (field == type.fields.end()) {
      if (report_unknown) report_unknown_key(entry, type);
    } else if (wanted(field->key)) {
      bind_entry(entry, *field, &configuration, "");
    }
  }
}

void Binder::bind(const Node& node, const Type& type, void* object, const Slot& slot) {
  places_.keys[slot.path] = slot.key_place;
  places_.values[slot.path] = node.place;
  if (node.kind == Node::Kind::kNull && type.kind != Kind::kStruct) return;
  switch (slot.kind) {
    case Kind::kStruct:
      return bind_struct(node, type, object, slot);
    case Kind::kList:
      return bind_list(node, type, object, slot);
    case Kind::kMap:
      return bind_map(node, type, object, slot);
    case Kind::kCommand:
    case Kind::kHealthTest:
      return bind_command(node, type, object, slot);
    default:
      return bind_scalar(node, type, object, slot);
  }
}

void Binder::bind_struct(const Node& node, const Type& type, void* object, const Slot& slot) {
  if (is_shorthand(node, type)) {
    Node map;
    map.kind = Node::Kind::kMap;
    map.place = node.place;
    map.entries.push_back({std::string(type.shorthand), node.place, node});
    return bind_struct(map, type, object, slot);
  }
  if (node.kind != Node::Kind::kMap && node.kind != Node::Kind::kNull)
    return problem(node.place, slot, "expected a map of keys, got " + kind_of(node));
  void* const target = type.open(object, "");
  for (const Entry& entry : node.entries) {
    const auto field = std::find_if(type.fields.begin(), type.fields.end(),
                                    [&](const Field& candidate) { return candidate.key == entry.key; });
    if (field == type.fields.end())
      report_unknown_key(entry, type);
    else
      bind_entry(entry, *field, target, slot.path);
  }
  for (const Field& field : type.fields) {
    const Entry* entry = node.find(field.key);
    if (field.required && (entry == nullptr || entry->value.kind == Node::Kind::kNull))
      problem(slot.key_place, slot, "the key '" + std::string(field.key) + "' is missing");
  }
  check_exactly_one(node, type, slot);
}

void Binder::bind_entry(const Entry& entry, const Field& field, void* object, const std::string& parent) {
  const Slot slot{entry.key, join(parent, entry.key), field.kind, field.rules, entry.place};
  if (entry.value.kind == Node::Kind::kNull) return;  // as if the key were not there
  bind(entry.value, *field.type, field.member(object), slot);
}

void Binder::check_exactly_one(const Node& node, const Type& type, const Slot& slot) {
  if (type.exactly_one.empty()) return;
  std::string choices;
  const Entry* first = nullptr;
  for (const std::string_view key : type.exactly_one) choices += (choices.empty() ? "" : ", ") + std::string(key);
  for (const Entry& entry : node.entries) {
    if (entry.value.kind == Node::Kind::kNull) continue;
    if (std::find(type.exactly_one.begin(), type.exactly_one.end(), entry.key) == type.exactly_one.end()) continue;
    if (first != nullptr)
      return problem(entry.place, slot,
                     "only one of " + choices + " may be given, not both '" + first->key + "' and '" + entry.key + "'");
    first = &entry;
  }
  if (first == nullptr) problem(slot.key_place, slot, "one of " + choices + " is needed");
}

void Binder::report_unknown_key(const Entry& entry, const Type& type) {
  if (entry.key.starts_with("x-")) return;
  std::vector<std::string_view> keys;
  for (const Field& field : type.fields) keys.push_back(field.key);
  problems_.add(entry.place,
                "unknown key " + shown({entry.key}) + " in " + std::string(type.name) + suggestion(entry.key, keys));
}

void Binder::bind_list(const Node& node, const Type& type, void* object, const Slot& slot) {
  type.clear(object);
  Slot item{"", "", type.element->kind, slot.rules, {}};
  if (node.kind == Node::Kind::kScalar && slot.rules.one_or_list) {
    const auto scalar = read_scalar(node, slot, *type.element);
    if (!scalar || (scalar->from_variable && scalar->text.empty())) return;
    item.label = slot.label;
    item.path = slot.path + "[0]";
    item.key_place = slot.key_place;
    return bind(node, *type.element, type.open(object, ""), item);
  }
  if (node.kind != Node::Kind::kList) return problem(node.place, slot, "expected a list, got " + kind_of(node));
  for (std::size_t index = 0; index < node.items.size(); ++index) {
    const Node& value = node.items[index];
    const std::string suffix = "[" + std::to_string(index) + "]";
    item.label = slot.label + suffix;
    item.path = slot.path + suffix;
    item.key_place = value.place;
    if (value.kind == Node::Kind::kNull) {
      problem(value.place, item, "an item is empty: remove it or write \"\"");
      continue;
    }
    bind(value, *type.element, type.open(object, ""), item);
  }
}

bool Binder::check_map_key(const std::string& key, const Place& place, const Rules& rules) {
  if (rules.worker_names) {
    const std::string error = worker_name_problem(key);
    if (!error.empty()) problems_.add(place, error);
    return error.empty();
  }
  if (rules.keys == KeyStyle::kExisting || is_name(key)) return true;
  problems_.add(place, "invalid name " + shown({key}) +
                           ": use letters, digits, '_', '.' and '-', beginning with a letter or '_'");
  return false;
}

void Binder::bind_map(const Node& node, const Type& type, void* object, const Slot& slot) {
  if (slot.rules.names_or_map && node.kind == Node::Kind::kList) return bind_names(node, type, object, slot);
  if (slot.rules.variables && node.kind == Node::Kind::kList) return bind_assignments(node, type, object, slot);
  if (node.kind != Node::Kind::kMap)
    return problem(node.place, slot,
                   std::string("expected a map") + (slot.rules.names_or_map ? " or a list of names" : "") + ", got " +
                       kind_of(node));
  for (const Entry& entry : node.entries) {
    if (!check_map_key(entry.key, entry.place, slot.rules)) continue;
    if (entry.value.kind == Node::Kind::kNull && type.element->kind != Kind::kStruct) continue;
    Slot item{entry.key, join(slot.path, entry.key), type.element->kind, {}, entry.place};
    item.rules.variables = slot.rules.variables;
    bind(entry.value, *type.element, type.open(object, entry.key), item);
  }
}

/// `depends_on: [a, b]`: each with the defaults.
void Binder::bind_names(const Node& node, const Type& type, void* object, const Slot& slot) {
  const auto names = read_words(node, slot);
  if (!names) return;
  for (std::size_t index = 0; index < names->size(); ++index) {
    const std::string path = join(slot.path, (*names)[index]);
    if (!places_.keys.emplace(path, node.items[index].place).second)
      problem(node.items[index].place, slot, "'" + (*names)[index] + "' is listed twice");
    type.open(object, (*names)[index]);
  }
}

/// `environment: [NAME=value]`, as in Compose; a name alone passes the container's variable through, as it does anyway.
void Binder::bind_assignments(const Node& node, const Type& type, void* object, const Slot& slot) {
  const auto lines = read_words(node, slot);
  if (!lines) return;
  for (std::size_t index = 0; index < lines->size(); ++index) {
    const std::string& line = (*lines)[index];
    const Place& place = node.items[index].place;
    const std::size_t equals = line.find('=');
    const std::string name = line.substr(0, equals);
    if (!check_map_key(name, place, slot.rules) || equals == std::string::npos) continue;
    if (!places_.keys.emplace(join(slot.path, name), place).second) problem(place, slot, "'" + name + "' is set twice");
    const std::string value = line.substr(equals + 1);
    if (looks_secret(name)) secrets_.add(value);
    secrets_.add_url_password(value);
    type.element->store(type.open(object, name), Value(value));
  }
}

/// The interpolated scalars of a list, or nothing when one of them is not a scalar.
std::optional<std::vector<std::string>> Binder::read_words(const Node& list, const Slot& slot) {
  std::vector<std::string> words;
  bool complete = true;
  for (std::size_t index = 0; index < list.items.size(); ++index) {
    Slot item = slot;
    item.label += "[" + std::to_string(index) + "]";
    item.kind = Kind::kText;
    static const Type kText;
    const auto scalar = read_scalar(list.items[index], item, kText);
    complete = complete && scalar.has_value();
    if (scalar) words.push_back(scalar->text);
  }
  return complete ? std::optional(std::move(words)) : std::nullopt;
}

std::optional<ScalarText> Binder::read_scalar(const Node& node, const Slot& slot, const Type& type) {
  if (node.kind != Node::Kind::kScalar) {
    problem(node.place, slot, "expected " + expectation(type, slot.kind) + ", got " + kind_of(node));
    return std::nullopt;
  }
  if (node.from_override) return ScalarText{node.text, false, true, slot.kind == Kind::kSecret};
  auto result = interpolate(node.text, variables_);
  if (!result) {
    problem(node.place, slot, result.error().message);
    return std::nullopt;
  }
  ScalarText scalar;
  scalar.quoted = !node.plain && !result->used_variable;
  scalar.from_variable = result->used_variable;
  scalar.hidden = result->used_secret || slot.kind == Kind::kSecret;
  scalar.text = std::move(result->text);
  return scalar;
}

void Binder::bind_scalar(const Node& node, const Type& type, void* object, const Slot& slot) {
  const auto scalar = read_scalar(node, slot, type);
  if (!scalar) return;
  const bool url = scalar->text.find("://") != std::string::npos;
  if ((slot.kind == Kind::kSecret && !url) || (slot.rules.variables && looks_secret(slot.label)))
    secrets_.add(scalar->text);
  if (slot.kind == Kind::kSecret || slot.rules.variables) secrets_.add_url_password(scalar->text);
  auto value = parse_scalar(*scalar, type, slot.kind, slot.rules);
  if (!value) return problem(node.place, slot, value.error());
  type.store(object, *value);
}

void Binder::bind_command(const Node& node, const Type& type, void* object, const Slot& slot) {
  const bool health = slot.kind == Kind::kHealthTest;
  CommandLine command;
  if (node.kind == Node::Kind::kList) {
    auto words = read_words(node, slot);
    if (!words) return;
    command.argv = std::move(*words);
  } else {
    const auto scalar = read_scalar(node, slot, type);
    if (!scalar) return;
    if (health) {
      if (scalar->text.empty()) return problem(node.place, slot, "the command is empty");
      command.argv = scalar->text == "NONE" ? std::vector<std::string>{"NONE"}
                                            : std::vector<std::string>{"CMD-SHELL", scalar->text};
    } else {
      auto split = split_command_line(scalar->text);
      if (!split) return problem(node.place, slot, split.error().message);
      command = std::move(*split);
    }
  }
  if (health && !command.empty() && command.argv[0] == "CMD") command.argv.erase(command.argv.begin());
  if (health && !command.empty() && command.argv[0] == "CMD-SHELL") {
    if (command.argv.size() != 2) return problem(node.place, slot, "CMD-SHELL takes exactly one text");
    command.argv = {"/bin/sh", "-c", command.argv[1]};
  }
  if (command.empty() || command.argv[0].empty()) return problem(node.place, slot, "the command is empty");
  type.store(object, Value(std::move(command)));
}

}  // namespace slipway::config
