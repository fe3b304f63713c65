#include <array>
#include <cstdio>
#include <set>

#include "config/documents.hpp"
#include "config/schema/type.hpp"

namespace slipway::config {
namespace {

std::string quote(std::string_view text) {
  std::string result = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') result += '\\';
    result += byte;
  }
  return result + '"';
}

/// Writes JSON by hand: keys stay in the order of the tables, and the output needs no library.
class SchemaWriter {
 public:
  std::string write() {
    const Type& root = configuration_type();
    std::string text = "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n";
    text += "  \"title\": \"Slipway configuration\",\n";
    text += body(root, 1) + ",\n  \"$defs\": {\n";
    text += "    \"variable\": {\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}\n  }\n}\n";
    return text;
  }

 private:
  static std::string indent(int level) { return std::string(static_cast<std::size_t>(level) * 2, ' '); }

  /// The members of a struct's schema, without the braces.
  std::string body(const Type& type, int level) {
    std::string text = indent(level) + "\"type\": \"object\",\n" + indent(level) + "\"additionalProperties\": false,\n";
    text += indent(level) + "\"patternProperties\": {\"^x-\": true},\n" + indent(level) + "\"properties\": {\n";
    bool first = true;
    for (const Field& field : type.fields) {
      text += (first ? "" : ",\n") + indent(level + 1) + quote(field.key) + ": " + property(field, level + 1);
      first = false;
    }
    text += "\n" + indent(level) + "}";
    std::string required;
    for (const Field& field : type.fields)
      if (field.required) required += (required.empty() ? "" : ", ") + quote(field.key);
    if (!required.empty()) text += ",\n" + indent(level) + "\"required\": [" + required + "]";
    std::string choices;
    for (const std::string_view key : type.exactly_one)
      choices += (choices.empty() ? "" : ", ") + std::string("{\"required\": [") + quote(key) + "]}";
    if (!choices.empty()) text += ",\n" + indent(level) + "\"oneOf\": [" + choices + "]";
    return text;
  }

  std::string property(const Field& field, int level) {
    std::string text = "{\n" + indent(level + 1) + "\"description\": " + quote(field.help);
    if (const std::string initial = default_json(field); !initial.empty())
      text += ",\n" + indent(level + 1) + "\"default\": " + initial;
    const std::string value = schema(*field.type, field.kind, field.rules, level + 1);
    // A struct's own schema is spliced in, everything else is one of several accepted notations.
    return text + ",\n" + indent(level + 1) + "\"anyOf\": [" + value + ", {\"type\": \"null\"}]\n" + indent(level) +
           "}";
  }

  static std::string default_json(const Field& field) {
    const std::string text = format_value(field.initial, *field.type, field.kind);
    switch (field.kind) {
      case Kind::kBoolean:
      case Kind::kInteger:
      case Kind::kNumber:
        return text;
      default:
        return text.empty() ? std::string() : quote(text);
    }
  }

  static std::string variable() { return "{\"$ref\": \"#/$defs/variable\"}"; }

  std::string schema(const Type& type, Kind kind, const Rules& rules, int level) {
    switch (kind) {
      case Kind::kStruct:
        return structure(type, level);
      case Kind::kList:
        return list(type, rules, level);
      case Kind::kMap:
        return map(type, rules, level);
      case Kind::kCommand:
      case Kind::kHealthTest:
        return R"({"type": "string"}, {"type": "array", "items": {"type": ["string", "number", "boolean"]}})";
      default:
        return scalar(type, kind, rules);
    }
  }

  std::string structure(const Type& type, int level) {
    std::string text = "{\n" + body(type, level + 1) + "\n" + indent(level) + "}";
    if (type.shorthand.empty()) return text;
    for (const Field& field : type.fields)
      if (field.key == type.shorthand) text += ", " + schema(*field.type, field.kind, field.rules, level);
    return text;
  }

  std::string list(const Type& type, const Rules& rules, int level) {
    Rules item = rules;
    item.one_or_list = false;
    const std::string element = schema(*type.element, type.element->kind, item, level);
    std::string text = R"({"type": "array", "items": {"anyOf": [)" + element + "]}}";
    return rules.one_or_list ? text + ", " + element : text;
  }

  std::string map(const Type& type, const Rules& rules, int level) {
    const Kind kind = type.element->kind;
    std::string text = "{\n" + indent(level + 1) + "\"type\": \"object\",\n";
    if (rules.worker_names)
      text += indent(level + 1) + R"("propertyNames": {"pattern": "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"},)" + "\n";
    text += indent(level + 1) + "\"additionalProperties\": {\"anyOf\": [" + schema(*type.element, kind, {}, level + 1) +
            ", {\"type\": \"null\"}]}\n" + indent(level) + "}";
    if (rules.variables || rules.names_or_map) text += R"(, {"type": "array", "items": {"type": "string"}})";
    return text;
  }

  std::string scalar(const Type& type, Kind kind, const Rules& rules) {
    switch (kind) {
      case Kind::kBoolean:
        return R"({"type": "boolean"}, )" + variable();
      case Kind::kInteger:
      case Kind::kNumber: {
        const bool own = rules.maximum != 0;
        std::string text = std::string(R"({"type": ")") + (kind == Kind::kInteger ? "integer" : "number") + '"';
        if (own || kind == Kind::kInteger)
          text += ", \"minimum\": " + std::to_string(own ? rules.minimum : type.minimum) +
                  ", \"maximum\": " + std::to_string(own ? rules.maximum : type.maximum);
        return text + "}, " + variable();
      }
      case Kind::kWord: {
        std::string words;
        for (const Word& word : type.words) words += (words.empty() ? "" : ", ") + quote(word.text);
        return "{\"enum\": [" + words + "]}, " + variable();
      }
      case Kind::kDuration:
        return R"({"type": "string", "pattern": "^(0|([0-9]+(ms|s|m|h|d))+)$"}, {"const": 0}, )" + variable();
      case Kind::kPercent:
        return R"({"type": "string", "pattern": "^[0-9.]+%$"}, {"const": 0}, )" + variable();
      case Kind::kSize:
        return R"({"type": "string", "pattern": "^(0|[0-9]+(B|[KMGT]i?B|kB))$"}, {"const": 0}, )" + variable();
      case Kind::kMode:
        return R"({"type": "string", "pattern": "^(0o)?[0-7]{3,5}$"}, {"type": "integer"}, )" + variable();
      case Kind::kLimit:
        return R"({"type": "integer", "minimum": -1}, {"const": "unlimited"}, )" + variable();
      case Kind::kSignal:
        return R"({"type": ["string", "integer"]})";
      case Kind::kAddress:
      case Kind::kCron:
      case Kind::kTimeZone:
      case Kind::kSecret:
        return R"({"type": "string"})";
      default:
        return R"({"type": ["string", "number", "boolean"]})";
    }
  }
};

}  // namespace

std::string json_schema() { return SchemaWriter().write(); }

}  // namespace slipway::config
