#include "config/loading/scalars.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "config/kernel_names.hpp"
#include "config/line_pattern.hpp"
#include "config/notation.hpp"

namespace slipway::config {
namespace {

using Parsed = tl::expected<Value, std::string>;

tl::unexpected<std::string> wrong(const std::string& expected, const ScalarText& scalar) {
  std::string message = "expected " + expected + ", got " + shown(scalar);
  if (scalar.from_variable && scalar.text.empty()) message += "; is the variable set?";
  return tl::unexpected(std::move(message));
}

Parsed parse_boolean(const ScalarText& scalar) {
  if (scalar.text == "true") return !scalar.quoted ? Parsed(true) : wrong("true or false without quotes", scalar);
  if (scalar.text == "false") return !scalar.quoted ? Parsed(false) : wrong("true or false without quotes", scalar);
  std::string text = scalar.text;
  for (char& byte : text)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  const bool yes = text == "true" || text == "on" || text == "yes" || text == "1";
  const bool no = text == "false" || text == "off" || text == "no" || text == "0";
  if (scalar.from_variable && (yes || no)) return yes;
  auto error = wrong("true or false", scalar);
  if (yes || no) error.value() += yes ? "; write true" : "; write false";
  return error;
}

Parsed parse_integer(const ScalarText& scalar, const Type& type, const Rules& rules) {
  const bool own = rules.maximum != 0;
  const long long minimum = own ? rules.minimum : type.minimum;
  const long long maximum = own ? rules.maximum : type.maximum;
  long long number = 0;
  const char* const end = scalar.text.data() + scalar.text.size();
  const auto [stop, error] = std::from_chars(scalar.text.data(), end, number);
  if (scalar.quoted && error == std::errc() && stop == end) return wrong("a number without quotes", scalar);
  const bool too_big = error == std::errc::result_out_of_range && stop == end;
  if (!too_big && (error != std::errc() || stop != end || scalar.text.empty())) return wrong("a whole number", scalar);
  if (too_big || number < minimum || number > maximum)
    return wrong("a number from " + std::to_string(minimum) + " to " + std::to_string(maximum), scalar);
  return number;
}

bool parse_real(std::string_view text, double& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && stop == text.data() + text.size() && std::isfinite(number);
}

Parsed parse_decimal(const ScalarText& scalar, const Rules& rules) {
  double number = 0;
  if (scalar.quoted || !parse_real(scalar.text, number)) return wrong("a number", scalar);
  if (rules.maximum != 0 &&
      (number < static_cast<double>(rules.minimum) || number > static_cast<double>(rules.maximum)))
    return wrong("a number from " + std::to_string(rules.minimum) + " to " + std::to_string(rules.maximum), scalar);
  return number;
}

Parsed parse_percent(const ScalarText& scalar) {
  double number = 0;
  std::string_view text = scalar.text;
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  if ((!percent && text != "0") || !parse_real(text, number)) return wrong("a percentage such as 10%", scalar);
  if (number < 0 || number > 100) return wrong("a percentage from 0% to 100%", scalar);
  return number / 100;
}

Parsed parse_word(const ScalarText& scalar, const Type& type) {
  std::vector<std::string_view> candidates;
  for (const Word& word : type.words) {
    if (word.text == scalar.text) return word.value;
    if (!word.alias) candidates.push_back(word.text);
  }
  auto error = wrong(expectation(type, Kind::kWord), scalar);
  if (!scalar.hidden) error.value() += suggestion(scalar.text, candidates);
  return error;
}

Parsed parse_limit(const ScalarText& scalar) {
  long long number = 0;
  const char* const end = scalar.text.data() + scalar.text.size();
  if (scalar.text == "unlimited") return static_cast<long long>(kUnlimited);
  const auto [stop, error] = std::from_chars(scalar.text.data(), end, number);
  if (scalar.text.empty() || error != std::errc() || stop != end || number < kUnlimited)
    return wrong(expectation({}, Kind::kLimit), scalar);
  return number;
}

std::string check_capability(const std::string& text) {
  if (is_every_capability(text) || capability_number(text)) return {};
  std::string folded = text;
  for (char& byte : folded)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  if (folded.starts_with("cap_")) folded.erase(0, 4);
  return "expected a capability such as net_bind_service, or all, got " + shown({text}) +
         suggestion(folded, capability_names());
}

std::string check_path(const std::string& text, TextForm form) {
  constexpr std::size_t kLongestSocket = 107;  // sockaddr_un, unix(7)
  if (!text.starts_with('/')) return "expected an absolute path, got \"" + text + '"';
  if (form == TextForm::kSocketPath && text.size() > kLongestSocket)
    return "a socket's path has at most 107 bytes, this one has " + std::to_string(text.size());
  return {};
}

std::string check_ports(std::string_view text) {
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view port = text.substr(0, comma);
    while (port.starts_with(' ')) port.remove_prefix(1);
    unsigned number = 0;
    const auto [stop, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || error != std::errc() || stop != port.data() + port.size() || number < 1 || number > 65535)
      return "expected a port from 1 to 65535, got \"" + std::string(port) + '"';
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

Parsed parse_text(const ScalarText& scalar, const Rules& rules) {
  const std::string& text = scalar.text;
  std::string error;
  switch (rules.form) {
    case TextForm::kAny:
      break;
    case TextForm::kAbsolutePath:
    case TextForm::kSocketPath:
      if (!text.empty()) error = check_path(text, rules.form);
      break;
    case TextForm::kHttpUrl:
      if (const auto url = parse_http_url(text); !url) error = url.error().message;
      break;
    case TextForm::kListenAddress:
      if (text.empty()) break;
      if (const auto address = parse_tcp_address(text); !address) {
        error = address.error().message;
        if (const std::size_t reason = error.find(": looking up"); reason != std::string::npos)
          error.replace(reason, std::string::npos, "; 0.0.0.0 listens on every address");
      }
      break;
    case TextForm::kPorts:
      error = check_ports(text);
      break;
    case TextForm::kRegex:
      if (const auto pattern = LinePattern::compile(text); !pattern) error = pattern.error();
      break;
    case TextForm::kCapability:
      error = check_capability(text);
      break;
  }
  if (!error.empty()) return tl::unexpected(std::move(error));
  return text;
}

Parsed parse_length(const ScalarText& scalar, const Rules& rules) {
  const auto duration = parse_duration(scalar.text);
  if (!duration) return tl::unexpected(duration.error().message);
  if (rules.positive && duration->count() == 0) return wrong("a duration longer than zero", scalar);
  return *duration;
}

template <typename T>
Parsed convert(Result<T> result) {
  if (!result) return tl::unexpected(std::move(result.error().message));
  return Value(std::move(*result));
}

Parsed parse_any(const ScalarText& scalar, const Type& type, Kind kind, const Rules& rules) {
  switch (kind) {
    case Kind::kBoolean:
      return parse_boolean(scalar);
    case Kind::kInteger:
      return parse_integer(scalar, type, rules);
    case Kind::kNumber:
      return parse_decimal(scalar, rules);
    case Kind::kPercent:
      return parse_percent(scalar);
    case Kind::kText:
      return parse_text(scalar, rules);
    case Kind::kSecret:
      return Value(Secret(scalar.text));
    case Kind::kDuration:
      return parse_length(scalar, rules);
    case Kind::kWord:
      return parse_word(scalar, type);
    case Kind::kSignal:
      return convert(parse_signal(scalar.text));
    case Kind::kMode:
      return convert(parse_mode(scalar.text));
    case Kind::kLimit:
      return parse_limit(scalar);
    case Kind::kSize:
      return convert(parse_size(scalar.text));
    case Kind::kAddress:
      return convert(parse_tcp_address(scalar.text));
    case Kind::kCron:
      return convert(parse_cron(scalar.text));
    case Kind::kTimeZone:
      return convert(TimeZone::load(scalar.text));
    default:
      return wrong(expectation(type, kind), scalar);
  }
}

}  // namespace

std::string expectation(const Type& type, Kind kind) {
  switch (kind) {
    case Kind::kBoolean:
      return "true or false";
    case Kind::kInteger:
      return "a whole number";
    case Kind::kNumber:
      return "a number";
    case Kind::kPercent:
      return "a percentage such as 10%";
    case Kind::kText:
    case Kind::kSecret:
      return "text";
    case Kind::kDuration:
      return "a duration such as 10s";
    case Kind::kWord: {
      std::string words;
      for (const Word& word : type.words)
        if (!word.alias) words += (words.empty() ? "one of " : ", ") + std::string(word.text);
      return words;
    }
    case Kind::kCommand:
    case Kind::kHealthTest:
      return "a command as text or as a list";
    case Kind::kSignal:
      return "a signal such as TERM";
    case Kind::kMode:
      return "an octal mode such as \"0644\"";
    case Kind::kLimit:
      return "a whole number or unlimited";
    case Kind::kSize:
      return "a size such as 10MiB";
    case Kind::kAddress:
      return "an address and a port such as 127.0.0.1:8000";
    case Kind::kCron:
      return "a cron expression such as \"*/5 * * * *\"";
    case Kind::kTimeZone:
      return "a time zone such as Europe/Berlin";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map";
    case Kind::kStruct:
      return "a map";
  }
  return "a value";
}

std::string shown(const ScalarText& scalar) {
  constexpr std::size_t kLongest = 60;
  if (scalar.hidden) return "a secret";
  std::string text = "\"";
  for (const char byte : scalar.text.substr(0, kLongest)) {
    if (byte == '\n') {
      text += "\\n";
    } else if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
      text += escaped;
    } else {
      text += byte;
    }
  }
  // A character cut in half would make the message invalid UTF-8.
  if (scalar.text.size() > kLongest) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();
    text += "...";
  }
  return text + '"';
}

tl::expected<Value, std::string> parse_scalar(const ScalarText& scalar, const Type& type, Kind kind,
                                              const Rules& rules) {
  Parsed parsed = parse_any(scalar, type, kind, rules);
  if (!parsed && scalar.hidden) return wrong(expectation(type, kind), scalar);
  return parsed;
}

}  // namespace slipway::config
