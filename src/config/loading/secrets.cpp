#include "config/loading/secrets.hpp"

#include <algorithm>
#include <array>

namespace slipway::config {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  return result;
}

/// Words that appear in ordinary output all the time; whoever uses one as a password hides nothing.
constexpr std::array<std::string_view, 20> kCommon{
    "true", "false", "null", "none",   "auto",      "default", "postgres", "postgresql", "sqlite", "admin",
    "root", "user",  "test", "public", "localhost", "enabled", "disabled", "password",   "secret", "changeme"};

bool has_word(std::string_view name, std::string_view word) {
  for (std::size_t at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const bool begins = at == 0 || name[at - 1] == '_' || name[at - 1] == '-' || name[at - 1] == '.';
    const bool ends = end == name.size() || name[end] == '_' || name[end] == '-' || name[end] == '.';
    if (begins && ends) return true;
  }
  return false;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto digit = [&](std::size_t i) {
      return i < text.size() ? std::string_view("0123456789ABCDEF").find(upper(text.substr(i, 1)))
                             : std::string_view::npos;
    };
    if (text[at] == '%' && digit(at + 1) != std::string_view::npos && digit(at + 2) != std::string_view::npos) {
      result += static_cast<char>(digit(at + 1) * 16 + digit(at + 2));
      at += 2;
    } else {
      result += text[at];
    }
  }
  return result;
}

}  // namespace

bool looks_secret(std::string_view name) {
  const std::string text = upper(name);
  for (const std::string_view harmless : {"_FILE", "_PATH", "_DIR", "_TTL", "_TIMEOUT", "_EXPIRY", "_LENGTH"})
    if (text.ends_with(harmless)) return false;
  for (const std::string_view part : {"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "APIKEY"})
    if (text.find(part) != std::string::npos) return true;
  for (const std::string_view word : {"KEY", "PASS", "PWD", "PGPASS", "PRIVATE"})
    if (has_word(text, word) && text != "PWD" && text != "OLDPWD") return true;
  return false;
}

void SecretCollector::add(std::string_view value) {
  constexpr std::size_t kShortest = 4;
  if (value.size() < kShortest) return;
  std::string lower(value);
  for (char& byte : lower)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  if (std::find(kCommon.begin(), kCommon.end(), lower) != kCommon.end()) return;
  if (value.find_first_not_of(value[0]) == std::string_view::npos) return;
  if (value.size() < 6 && value.find_first_not_of("0123456789.") == std::string_view::npos) return;
  values_.emplace(value);
}

void SecretCollector::add_url_password(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return;
  const std::string_view rest = url.substr(scheme + 3);
  // The last '@' before the path: an unencoded '@' in a password is common, and hiding too much does no harm.
  const std::size_t at = rest.substr(0, rest.find_first_of("?#")).rfind('@');
  const std::size_t colon = rest.find(':');
  if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return;
  const std::string_view password = rest.substr(colon + 1, at - colon - 1);
  add(password);
  add(percent_decoded(password));
}

void SecretCollector::add_variables(const StringMap& variables) {
  for (const auto& [name, value] : variables) {
    if (looks_secret(name)) add(value);
    add_url_password(value);
  }
}

std::vector<std::string> SecretCollector::list() const {
  std::vector<std::string> result(values_.begin(), values_.end());
  std::stable_sort(result.begin(), result.end(),
                   [](const std::string& left, const std::string& right) { return left.size() > right.size(); });
  return result;
}

}  // namespace slipway::config
