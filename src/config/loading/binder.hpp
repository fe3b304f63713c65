#pragma once
// From a document to typed values: walks a Node and a Type together, interpolates scalars, checks them and stores
// them. One problem never hides another: what is wrong keeps its default and the walk goes on.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "config/document/node.hpp"
#include "config/loading/secrets.hpp"
#include "config/schema/type.hpp"

namespace slipway::config {

/// Where each key and value of the configuration was written, by its path: `workers.web.depends_on.cache`, `hba[0]`.
struct Places {
  std::map<std::string, Place> keys;
  std::map<std::string, Place> values;
  /// The nearest known place: of the key itself, or of what contains it.
  [[nodiscard]] Place key(const std::string& path) const;
  [[nodiscard]] Place value(const std::string& path) const;
};

/// What a value is bound as: its name in messages, its path, and the table's word on it.
struct Slot {
  std::string label;
  std::string path;
  Kind kind = Kind::kStruct;
  Rules rules;
  Place key_place;
};

/// A scalar after interpolation.
struct ScalarText {
  std::string text;
  bool quoted = false;         ///< written in quotes and not taken from a variable: never a number or a boolean
  bool from_variable = false;  ///< a variable took part in it
  bool hidden = false;         ///< must not be shown in a message
};

/// The node is the value of the one key that the struct can be written as; a list only where that key is a command.
[[nodiscard]] bool is_shorthand(const Node& node, const Type& type);

class Binder {
 public:
  Binder(const StringMap& variables, Problems& problems, SecretCollector& secrets, Places& places)
      : variables_(variables), problems_(problems), secrets_(secrets), places_(places) {}

  /// Binds those keys of the root that `wanted` picks; reports unknown ones when `report_unknown`.
  void bind_root(const Node& root, Configuration& configuration, const std::function<bool(std::string_view)>& wanted,
                 bool report_unknown);
  /// Binds one value; null leaves the default.
  void bind(const Node& node, const Type& type, void* object, const Slot& slot);

 private:
  void bind_struct(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_entry(const Entry& entry, const Field& field, void* object, const std::string& parent);
  void bind_list(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_map(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_names(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_assignments(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_scalar(const Node& node, const Type& type, void* object, const Slot& slot);
  void bind_command(const Node& node, const Type& type, void* object, const Slot& slot);
  void check_exactly_one(const Node& node, const Type& type, const Slot& slot);
  void report_unknown_key(const Entry& entry, const Type& type);
  bool check_map_key(const std::string& key, const Place& place, const Rules& rules);
  std::optional<std::vector<std::string>> read_words(const Node& list, const Slot& slot);
  std::optional<ScalarText> read_scalar(const Node& node, const Slot& slot, const Type& type);
  void problem(const Place& place, const Slot& slot, const std::string& message);

  const StringMap& variables_;
  Problems& problems_;
  SecretCollector& secrets_;
  Places& places_;
};

}  // namespace slipway::config
