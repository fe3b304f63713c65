#include "database/url.hpp"

#include <algorithm>
#include <cctype>

namespace slipway::database {
namespace {

bool is_unreserved(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

tl::unexpected<Error> bad_url(const std::string& message) {
  return failure(ExitCode::kConfiguration, "database.url: " + message);
}

config::Backend backend_of(std::string_view scheme) {
  std::string base(scheme.substr(0, scheme.find('+')));
  std::transform(base.begin(), base.end(), base.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (base == "postgresql" || base == "postgres" || base == "pgsql") return config::Backend::kPostgres;
  if (base == "sqlite" || base == "sqlite3") return config::Backend::kSqlite;
  return config::Backend::kNone;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.' || c == '_';
  });
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  return value >= 1 && value <= 65535;
}

/// One element of a host list: `host`, `host:port`, `[v6]`, `[v6]:port`, or empty.
Result<HostPort> parse_host(std::string_view text) {
  HostPort result;
  std::string_view host = text;
  std::string_view rest;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad_url("an IPv6 address lacks its closing bracket: write [::1]");
    host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  auto decoded = percent_decode(host, "the host");
  if (!decoded) return tl::unexpected(decoded.error());
  result.host = std::move(*decoded);
  if (rest.empty() || rest == ":") return result;
  if (!rest.starts_with(':') || !is_port(rest.substr(1))) {
    return bad_url(
        "what follows the host is not a port from 1 to 65535: put an IPv6 address into brackets, and write the "
        "characters / ? # @ : % of a password as %2F %3F %23 %40 %3A %25");
  }
  result.port = std::string(rest.substr(1));
  return result;
}

Result<void> parse_user_information(std::string_view text, DatabaseUrl& url) {
  const auto colon = text.find(':');
  auto user = percent_decode(text.substr(0, colon), "the user");
  if (!user) return tl::unexpected(user.error());
  if (!user->empty()) url.user = std::move(*user);
  if (colon == std::string_view::npos) return {};
  auto password = percent_decode(text.substr(colon + 1), "the password");
  if (!password) return tl::unexpected(password.error());
  url.password = std::move(*password);
  return {};
}

Result<void> parse_authority(std::string_view authority, DatabaseUrl& url) {
  // The last @: no host contains one, so an unescaped @ in a password is still unambiguous.
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto parsed = parse_user_information(authority.substr(0, at), url); !parsed) return parsed;
    authority.remove_prefix(at + 1);
  }
  while (!authority.empty()) {
    const auto comma = authority.find(',');
    auto host = parse_host(authority.substr(0, comma));
    if (!host) return tl::unexpected(host.error());
    url.hosts.push_back(std::move(*host));
    if (comma == std::string_view::npos) break;
    authority.remove_prefix(comma + 1);
    if (authority.empty()) url.hosts.emplace_back();
  }
  return {};
}

Result<void> parse_parameters(std::string_view query, DatabaseUrl& url) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view item = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (item.empty()) continue;
    const auto equals = item.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return bad_url("a query parameter is not key=value: separate them by & and escape & in values as %26");
    }
    auto key = percent_decode(item.substr(0, equals), "a parameter's name");
    if (!key) return tl::unexpected(key.error());
    auto value = percent_decode(item.substr(equals + 1), "the parameter " + *key);
    if (!value) return tl::unexpected(value.error());
    url.parameters.emplace_back(std::move(*key), std::move(*value));
  }
  return {};
}

Result<void> parse_path(std::string_view path, DatabaseUrl& url) {
  if (path.empty()) return {};
  path.remove_prefix(1);
  if (url.backend == config::Backend::kPostgres && path.find_first_of("/@") != std::string_view::npos) {
    return bad_url(
        "the database's name holds an unescaped / or @: write %2F or %40 there, and in the password if that is where "
        "it belongs");
  }
  auto decoded = percent_decode(path, "the path");
  if (!decoded) return tl::unexpected(decoded.error());
  if (!decoded->empty()) url.path = std::move(*decoded);
  return {};
}

}  // namespace

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  result.reserve(text.size());
  for (const char raw : text) {
    const auto c = static_cast<unsigned char>(raw);
    if (is_unreserved(c)) {
      result += raw;
    } else {
      result += {'%', kDigits[c >> 4U], kDigits[c & 15U]};
    }
  }
  return result;
}

Result<std::string> percent_decode(std::string_view text, std::string_view what) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') return bad_url(std::string(what) + " contains a zero byte");
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return bad_url(std::string(what) + " has a % that two hexadecimal digits do not follow: write % as %25");
    }
    if (high == 0 && low == 0) return bad_url(std::string(what) + " contains %00, which no database accepts");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

Result<DatabaseUrl> parse_url(std::string_view text) {
  const auto separator = text.find("://");
  const std::string_view scheme = text.substr(0, separator == std::string_view::npos ? 0 : separator);
  if (!is_scheme(scheme)) return bad_url("not a URL: expected postgresql://user:password@host/name or sqlite:///path");
  DatabaseUrl url;
  url.scheme = std::string(scheme);
  url.backend = backend_of(scheme);
  if (url.backend == config::Backend::kNone) {
    return bad_url("unknown scheme \"" + url.scheme + "\": expected postgresql or sqlite, with any +driver suffix");
  }
  std::string_view rest = text.substr(separator + 3);
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    if (auto parsed = parse_parameters(rest.substr(query + 1), url); !parsed) return tl::unexpected(parsed.error());
    rest = rest.substr(0, query);
  }
  const auto slash = rest.find('/');
  if (auto parsed = parse_authority(rest.substr(0, slash), url); !parsed) return tl::unexpected(parsed.error());
  if (slash != std::string_view::npos) {
    if (auto parsed = parse_path(rest.substr(slash), url); !parsed) return tl::unexpected(parsed.error());
  }
  return url;
}

}  // namespace slipway::database
