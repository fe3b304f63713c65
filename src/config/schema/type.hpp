#pragma once
// The schema at run time: what the constexpr tables say, in a form that one loader, the documents and the overrides
// can walk without templates. Built once per type from config/schema/describe.hpp, then immutable.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/configuration.hpp"

namespace slipway::config {

enum class Kind {
  kBoolean,
  kInteger,
  kNumber,   ///< a double
  kPercent,  ///< a double between 0 and 1, written as 10%
  kText,
  kSecret,
  kDuration,
  kWord,  ///< an enumerator
  kCommand,
  kHealthTest,  ///< a command, also in Compose's CMD and CMD-SHELL forms
  kSignal,
  kMode,
  kLimit,  ///< a whole number, or `unlimited`, which is -1
  kSize,
  kAddress,
  kCron,
  kTimeZone,
  kList,
  kMap,
  kStruct,
};

/// What a text must look like, beyond being text.
enum class TextForm {
  kAny,
  kAbsolutePath,
  kSocketPath,  ///< absolute, and short enough for sockaddr_un
  kHttpUrl,
  kListenAddress,  ///< an IP literal or localhost and a port
  kPorts,          ///< one or several, comma-separated
  kRegex,          ///< RE2's syntax
  kCapability,     ///< the name of a capability, or `all`
};

/// How an override's variable finds or makes a key of a map.
enum class KeyStyle {
  kExisting,   ///< only keys that the file already has
  kAsWritten,  ///< names of environment variables
  kLowerCase,  ///< names of settings
};

struct Rules {
  long long minimum = 0;
  long long maximum = 0;  ///< 0: only the type's own limits
  bool positive = false;  ///< more than zero
  TextForm form = TextForm::kAny;
  KeyStyle keys = KeyStyle::kExisting;
  bool one_or_list = false;   ///< a list that may be written as its only item
  bool variables = false;     ///< a map of environment variables, also written as [NAME=value]
  bool names_or_map = false;  ///< a map that may be written as the list of its keys
  bool worker_names = false;  ///< a map whose keys become unit names
};

/// Everything a scalar key can hold. An enumerator is its number.
using Value = std::variant<std::monostate, bool, long long, double, std::string, Secret, Duration, CommandLine, Signal,
                           FileMode, Size, TcpProbe, Cron, TimeZone>;

struct Word {
  std::string_view text;
  long long value = 0;
  bool alias = false;
};

struct Type;

struct Field {
  std::string_view key;
  std::string_view help;
  bool required = false;
  Rules rules;
  Kind kind = Kind::kText;  ///< the type's kind, or the special notation the table asks for
  const Type* type = nullptr;
  void* (*member)(void* object) = nullptr;
  Value initial;  ///< the default of a scalar
};

struct Type {
  Kind kind = Kind::kText;
  bool optional = false;  ///< std::optional: unset differs from every value
  long long minimum = 0;  ///< of an integer's C++ type
  long long maximum = 0;
  std::vector<Word> words;
  const Type* element = nullptr;  ///< of a list or a map
  // A struct:
  std::string_view name;
  std::vector<Field> fields;
  std::vector<std::string_view> exactly_one;  ///< of these keys
  std::string_view shorthand;                 ///< the key that a plain scalar stands for
  // Access to an object of this type:
  void (*store)(void* object, const Value& value) = nullptr;      ///< a scalar
  Value (*fetch)(const void* object) = nullptr;                   ///< a scalar
  void* (*open)(void* object, const std::string& key) = nullptr;  ///< a new element; a struct itself
  void (*clear)(void* object) = nullptr;                          ///< a list: drops its default items
};

/// The whole configuration.
[[nodiscard]] const Type& configuration_type();
/// Single sections, for the loader's first passes.
[[nodiscard]] const Type& markers_type();

/// The value as one would write it; empty for "unset". Secrets are not shown.
[[nodiscard]] std::string format_value(const Value& value, const Type& type, Kind kind);

}  // namespace slipway::config
