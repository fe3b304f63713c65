#include "database/libpq_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace slipway::database {
namespace {

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Takes one element off `text`; false when it is malformed.
bool take_element(std::string_view& text, std::string& element) {
  element.clear();
  text = trim(text);
  if (text.starts_with('"')) {
    std::size_t i = 1;
    for (; i < text.size(); ++i) {
      if (text[i] != '"') {
        element += text[i];
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        element += text[i++];
      } else {
        break;
      }
    }
    if (i >= text.size()) return false;
    text = trim(text.substr(i + 1));
  } else {
    const auto end = std::min(text.find(','), text.size());
    for (const char c : trim(text.substr(0, end))) {
      if (is_blank(c) || c == '"') return false;
      element += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    text = text.substr(end);
  }
  return !element.empty();
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string result = "\"";
  for (const char c : name) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string quote_conninfo(std::string_view value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + '\'';
}

std::string escape_option(std::string_view word) {
  std::string result;
  for (const char c : word) {
    if (is_blank(c) || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

std::vector<std::string> split_options(std::string_view options) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < options.size();) {
    if (is_blank(options[i])) {
      ++i;
      continue;
    }
    std::string word;
    for (; i < options.size() && !is_blank(options[i]); ++i) {
      if (options[i] == '\\' && i + 1 < options.size()) ++i;
      word += options[i];
    }
    words.push_back(std::move(word));
  }
  return words;
}

std::vector<std::string> split_search_path(std::string_view text) {
  std::vector<std::string> result;
  text = trim(text);
  while (!text.empty()) {
    std::string element;
    if (!take_element(text, element)) return {};
    result.push_back(std::move(element));
    if (text.empty()) break;
    if (!text.starts_with(',')) return {};
    text = trim(text.substr(1));
    if (text.empty()) return {};
  }
  return result;
}

bool is_libpq_keyword(std::string_view key) {
  static constexpr std::array<std::string_view, 32> kKeywords{"application_name",
                                                              "channel_binding",
                                                              "client_encoding",
                                                              "connect_timeout",
                                                              "dbname",
                                                              "fallback_application_name",
                                                              "gssencmode",
                                                              "gsslib",
                                                              "host",
                                                              "hostaddr",
                                                              "keepalives",
                                                              "keepalives_count",
                                                              "keepalives_idle",
                                                              "keepalives_interval",
                                                              "krbsrvname",
                                                              "options",
                                                              "passfile",
                                                              "password",
                                                              "port",
                                                              "replication",
                                                              "requirepeer",
                                                              "service",
                                                              "ssl_max_protocol_version",
                                                              "ssl_min_protocol_version",
                                                              "sslcert",
                                                              "sslcompression",
                                                              "sslcrl",
                                                              "sslkey",
                                                              "sslmode",
                                                              "sslrootcert",
                                                              "target_session_attrs",
                                                              "user"};
  return std::find(kKeywords.begin(), kKeywords.end(), key) != kKeywords.end() || key == "sslpassword" ||
         key == "tcp_user_timeout";
}

}  // namespace slipway::database
