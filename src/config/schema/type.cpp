#include "config/schema/type.hpp"

#include <cstdio>

#include "config/notation.hpp"
#include "config/schema/configuration.hpp"
#include "config/schema/describe.hpp"
#include "config/schema/enumerations.hpp"

namespace slipway::config {
namespace {

std::string format_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

struct Formatter {
  const Type& type;
  Kind kind;
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(long long value) const {
    if (kind == Kind::kWord)
      for (const Word& word : type.words)
        if (word.value == value && !word.alias) return std::string(word.text);
    return std::to_string(value);
  }
  std::string operator()(double value) const {
    return kind == Kind::kPercent ? format_number(value * 100) + "%" : format_number(value);
  }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Secret& /*value*/) const { return {}; }
  std::string operator()(Duration value) const { return format_duration(value); }
  std::string operator()(const CommandLine& value) const { return join_command_line(value); }
  std::string operator()(Signal value) const { return signal_name(value.number); }
  std::string operator()(FileMode value) const { return format_mode(value); }
  std::string operator()(Size value) const { return format_size(value); }
  std::string operator()(const Cron& value) const { return value.text; }
  std::string operator()(const TimeZone& value) const { return value.name(); }
  std::string operator()(const TcpProbe& value) const { return value.host + ":" + std::to_string(value.port); }
};

}  // namespace

const Type& configuration_type() { return type_of<Configuration>(); }
const Type& markers_type() { return type_of<Markers>(); }

std::string format_value(const Value& value, const Type& type, Kind kind) {
  return std::visit(Formatter{type, kind}, value);
}

}  // namespace slipway::config
