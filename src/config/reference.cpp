#include "config/documents.hpp"
#include "config/schema/type.hpp"

namespace slipway::config {
namespace {

std::string notation(const Type& type, Kind kind, const Rules& rules) {
  switch (kind) {
    case Kind::kBoolean:
      return "`true` or `false`";
    case Kind::kInteger: {
      const bool own = rules.maximum != 0;
      return "number, " + std::to_string(own ? rules.minimum : type.minimum) + " to " +
             std::to_string(own ? rules.maximum : type.maximum);
    }
    case Kind::kNumber:
      return "number";
    case Kind::kPercent:
      return "percentage";
    case Kind::kText:
      if (rules.form == TextForm::kCapability) return "capability";
      if (rules.form == TextForm::kRegex) return "regular expression";
      return rules.form == TextForm::kAbsolutePath || rules.form == TextForm::kSocketPath ? "absolute path" : "text";
    case Kind::kSecret:
      return "secret text";
    case Kind::kDuration:
      return rules.positive ? "duration, more than 0" : "duration";
    case Kind::kWord: {
      std::string words;
      for (const Word& word : type.words)
        if (!word.alias) words += (words.empty() ? "`" : " `") + std::string(word.text) + "`";
      return words;
    }
    case Kind::kCommand:
    case Kind::kHealthTest:
      return "command";
    case Kind::kSignal:
      return "signal";
    case Kind::kMode:
      return "octal mode";
    case Kind::kLimit:
      return "number or `unlimited`";
    case Kind::kSize:
      return "size";
    case Kind::kAddress:
      return "`address:port`";
    case Kind::kCron:
      return "cron expression";
    case Kind::kTimeZone:
      return "IANA time zone";
    case Kind::kList:
      return "list of " +
             (type.element->kind == Kind::kStruct ? "maps" : notation(*type.element, type.element->kind, rules));
    case Kind::kMap:
      return type.element->kind == Kind::kStruct ? "map by name" : "map of text";
    case Kind::kStruct:
      return "map";
  }
  return "value";
}

/// A `|` would end the cell of a table.
std::string cell(std::string_view text) {
  std::string result;
  for (const char byte : text) result += byte == '|' ? std::string("\\|") : std::string(1, byte);
  return result;
}

std::string row(const Field& field, const std::string& path) {
  const std::string initial = format_value(field.initial, *field.type, field.kind);
  std::string text = "| `" + path + "` | " + cell(notation(*field.type, field.kind, field.rules)) + " | ";
  if (field.required)
    text += "required";
  else if (!initial.empty())
    text += "`" + cell(initial) + "`";
  return text + " | " + cell(field.help) + " |\n";
}

/// The struct below a field, if any: its own, its items' or its values'. `path` gets what stands for a name.
const Type* nested(const Field& field, std::string& path) {
  const Type* type = field.type;
  if (type->kind == Kind::kList) path += "[]";
  if (type->kind == Kind::kMap && type->element->kind == Kind::kStruct) path += ".NAME";
  if (type->element != nullptr) type = type->element;
  return type->kind == Kind::kStruct ? type : nullptr;
}

void table(const Type& type, const std::string& path, std::string& text) {
  text += "\n## " + (path.empty() ? std::string("Top level") : "`" + path + "`") + "\n\n";
  if (!type.exactly_one.empty()) {
    std::string choices;
    for (const std::string_view key : type.exactly_one)
      choices += (choices.empty() ? "`" : ", `") + std::string(key) + "`";
    text += "Exactly one of " + choices + " is given.\n\n";
  }
  for (const Field& field : type.fields) {
    if (type.shorthand.empty() || field.key != type.shorthand) continue;
    const std::string what = field.kind == Kind::kCommand ? "A command" : "A text";
    text += what + " alone is short for `" + std::string(type.shorthand) + "`.\n\n";
  }
  text += "| key | value | default | meaning |\n|---|---|---|---|\n";
  const std::string prefix = path.empty() ? "" : path + ".";
  for (const Field& field : type.fields) text += row(field, prefix + std::string(field.key));
  for (const Field& field : type.fields) {
    std::string below = prefix + std::string(field.key);
    if (const Type* inner = nested(field, below); inner != nullptr) table(*inner, below, text);
  }
}

}  // namespace

std::string reference_markdown() {
  std::string text =
      "# Configuration reference\n\n"
      "Generated from the schema by `slipway schema --markdown`. Durations are written `250ms`, `10s`, `1h30m`, sizes "
      "`512KiB`, `1GB`; a "
      "command "
      "is text that is split as a shell splits words, or a list; `${VAR}`, `${VAR:-default}`, `${VAR:?message}` and "
      "`${VAR:+other}` work in every value; `SLIPWAY__SECTION__KEY` overrides any key; keys that begin with `x-` are "
      "ignored.\n";
  table(configuration_type(), "", text);
  return text;
}

}  // namespace slipway::config
