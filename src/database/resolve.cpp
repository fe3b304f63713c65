#include "database/resolve.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "database/endpoints.hpp"
#include "database/libpq_text.hpp"
#include "database/password.hpp"
#include "database/url.hpp"

namespace slipway::database {
namespace {

using config::Backend;

tl::unexpected<Error> bad(const std::string& message) { return failure(ExitCode::kConfiguration, message); }

const char* name_of(Backend backend) {
  switch (backend) {
    case Backend::kNone:
      return "none";
    case Backend::kSqlite:
      return "sqlite";
    case Backend::kPostgres:
      return "postgres";
  }
  return "none";
}

// In the order of the enumerations.
constexpr std::array kSslModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr std::array kChannelBindings{"disable", "prefer", "require"};
constexpr std::array kSessionAttributes{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};

template <typename Enum, std::size_t N>
std::string word(Enum value, const std::array<const char*, N>& words) {
  return words.at(static_cast<std::size_t>(value));
}

template <std::size_t N>
Result<std::string> checked(const std::string& key, const std::string& value, const std::array<const char*, N>& words) {
  if (std::find(words.begin(), words.end(), value) != words.end()) return value;
  std::string expected;
  for (const char* each : words) expected += std::string(expected.empty() ? "" : ", ") + each;
  return bad("database.url: the parameter " + key + " is none of " + expected);
}

// --- SQLite ----------------------------------------------------------------------------------------------------

Result<std::string> absolute_file(const std::string& key, std::string path) {
  if (path.empty()) return bad(key + ": names no file: give the database's path, such as /app/data/app.db");
  if (path == ":memory:" || path == "file::memory:") {
    return bad(key + ": a database in memory cannot be shared by the migration and the workers: name a file");
  }
  if (path.find('\0') != std::string::npos) return bad(key + ": the path contains a zero byte");
  if (path.back() == '/') return bad(key + ": \"" + path + "\" is a directory: name the file in it");
  if (path.front() == '/') return path;
  std::error_code error;
  const auto current = std::filesystem::current_path(error);
  if (error) return bad(key + ": \"" + path + "\" is relative and the working directory is gone: use an absolute path");
  while (path.starts_with("./")) path.erase(0, 2);
  return (current / path).string();
}

Result<void> from_sqlite_url(DatabaseUrl url, ResolvedDatabase& result) {
  const bool has_host = url.user || std::any_of(url.hosts.begin(), url.hosts.end(),
                                                [](const HostPort& host) { return !host.host.empty(); });
  if (has_host) {
    return bad("database.url: an SQLite URL has no host: write sqlite:///relative/path or sqlite:////absolute/path");
  }
  bool uri = false;
  for (auto& [key, value] : url.parameters) {
    if (key == "mode" && value == "memory") url.path = ":memory:";
    if (key == "uri" && (value == "true" || value == "1")) {
      uri = true;
    } else {
      result.parameters[key] = value;
    }
  }
  // Two slashes and nothing more is SQLAlchemy's way to say "in memory".
  std::string path = url.path.value_or(":memory:");
  if (uri && path.starts_with("file:")) path = path == "file::memory:" ? ":memory:" : path.substr(5);
  auto file = absolute_file("database.url", std::move(path));
  if (!file) return tl::unexpected(file.error());
  result.sqlite_path = std::move(*file);
  return {};
}

// --- PostgreSQL ------------------------------------------------------------------------------------------------

void from_components(const config::PostgresDatabase& postgres, ResolvedDatabase& result) {
  result.local = postgres.local;
  result.name = postgres.name;
  result.user = postgres.user;
  result.schema = postgres.schema;
  result.sslmode = word(postgres.sslmode, kSslModes);
  result.sslrootcert = postgres.sslrootcert;
  result.channel_binding = word(postgres.channel_binding, kChannelBindings);
  result.target_session_attrs = word(postgres.target_session_attrs, kSessionAttributes);
  result.connect_timeout_seconds = static_cast<int>((postgres.connect_timeout.count() + 999) / 1000);
}

/// Moves a search_path out of `options` into `schema`; a path of several schemas stays where it is.
void take_search_path(const std::string& options, ResolvedDatabase& result) {
  const auto words = split_options(options);
  std::string rest;
  bool several = false;
  std::string schema;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string setting;
    std::size_t used = 1;
    if (words[i] == "-c" && i + 1 < words.size()) {
      setting = words[i + 1];
      used = 2;
    } else if (words[i].starts_with("-c") || words[i].starts_with("--")) {
      setting = words[i].substr(2);
    }
    if (setting.starts_with("search_path=")) {
      const auto path = split_search_path(setting.substr(12));
      if (!path.empty() && path[0] != "$user") schema = path[0];
      several = several || path.size() != 1 || path[0] == "$user";
    } else {
      for (std::size_t k = 0; k < used; ++k) rest += (rest.empty() ? "" : " ") + escape_option(words[i + k]);
    }
    i += used - 1;
  }
  if (!schema.empty()) result.schema = schema;
  const std::string& kept = several ? options : rest;
  if (!kept.empty()) result.parameters["options"] = kept;
}

/// What a URL's query says that does not go straight into the result.
struct UrlParts {
  QueryHosts hosts;
  std::string options;
  bool has_password = false;
};

Result<void> take_word(const std::string& key, const std::string& value, ResolvedDatabase& result) {
  Result<std::string> valid = value;
  if (key == "sslmode") {
    valid = checked(key, value, kSslModes);
    if (valid) result.sslmode = *valid;
  } else if (key == "ssl") {
    // asyncpg's and JDBC's name for it.
    const std::string mode = value == "true" ? "require" : value == "false" ? "disable" : value;
    valid = checked(key, mode, kSslModes);
    if (valid) result.sslmode = *valid;
  } else if (key == "channel_binding") {
    valid = checked(key, value, kChannelBindings);
    if (valid) result.channel_binding = *valid;
  } else {
    valid = checked(key, value, kSessionAttributes);
    if (valid) result.target_session_attrs = *valid;
  }
  if (!valid) return tl::unexpected(valid.error());
  return {};
}

Result<void> take_timeout(const std::string& value, ResolvedDatabase& result) {
  int seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size() || seconds < 0) {
    return bad("database.url: the parameter connect_timeout is not a number of seconds");
  }
  result.connect_timeout_seconds = seconds;
  return {};
}

Result<void> take_parameter(const std::string& key, const std::string& value, ResolvedDatabase& result,
                            UrlParts& parts) {
  if (key == "sslmode" || key == "ssl" || key == "channel_binding" || key == "target_session_attrs") {
    return take_word(key, value, result);
  }
  if (key == "host") {
    parts.hosts.hosts += (parts.hosts.hosts.empty() ? "" : ",") + value;
  } else if (key == "port") {
    parts.hosts.ports += (parts.hosts.ports.empty() ? "" : ",") + value;
  } else if (key == "user") {
    result.user = value;
  } else if (key == "password") {
    result.password = config::Secret(value);
    parts.has_password = true;
  } else if (key == "dbname") {
    result.name = value;
  } else if (key == "sslrootcert") {
    result.sslrootcert = value;
  } else if (key == "schema" || key == "currentSchema") {
    result.schema = value;
  } else if (key == "options") {
    parts.options = value;
  } else if (key == "connect_timeout") {
    return take_timeout(value, result);
  } else {
    result.parameters[key] = value;
  }
  return {};
}

Result<void> find_password(const config::Configuration& configuration, ResolveMode mode, ResolvedDatabase& result) {
  const auto& postgres = configuration.database.postgres;
  if (!postgres.password.empty() && !postgres.password_file.empty()) {
    return bad("database.postgres: password and password_file are both set: remove one of the two");
  }
  result.password = postgres.password;
  Result<config::Secret> found = postgres.password;
  if (!postgres.password_file.empty()) {
    found = read_password_file(postgres.password_file, "database.postgres.password_file");
  } else if (postgres.local && postgres.password.empty()) {
    found = mode == ResolveMode::kBoot ? generated_password(configuration.state_dir)
                                       : existing_generated_password(configuration.state_dir);
  }
  if (!found) return tl::unexpected(found.error());
  result.password = std::move(*found);
  return {};
}

bool has_zero_byte(const ResolvedDatabase& result) {
  const auto zero = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  return zero(result.name) || zero(result.user) || zero(result.password.reveal()) || zero(result.schema);
}

Result<void> resolve_postgres(const config::Configuration& configuration, const std::optional<DatabaseUrl>& url,
                              ResolveMode mode, ResolvedDatabase& result) {
  const auto& postgres = configuration.database.postgres;
  from_components(postgres, result);
  UrlParts parts;
  if (url) {
    if (url->user) result.user = *url->user;
    if (url->path) result.name = *url->path;
    if (url->password) result.password = config::Secret(*url->password);
    parts.has_password = url->password.has_value();
    for (const auto& [key, value] : url->parameters) {
      if (auto taken = take_parameter(key, value, result, parts); !taken) return taken;
    }
    take_search_path(parts.options, result);
  }
  auto endpoints = url ? url_endpoints(*url, parts.hosts, postgres) : join_endpoints(postgres.host, postgres.port);
  if (!endpoints && result.local && !url)
    endpoints = join_endpoints("localhost", postgres.port.substr(0, postgres.port.find(',')));
  if (endpoints && result.local) endpoints = local_endpoint(postgres, *endpoints, url.has_value());
  if (!endpoints) return tl::unexpected(endpoints.error());
  result.endpoints = std::move(*endpoints);
  if (!parts.has_password || (result.local && result.password.empty())) {
    if (auto found = find_password(configuration, mode, result); !found) return found;
  }
  if (result.name.empty()) return bad("database.postgres.name: is empty: name the database");
  if (result.user.empty()) return bad("database.postgres.user: is empty: name the role");
  if (has_zero_byte(result)) return bad("database.postgres: a zero byte in the name, user, password or schema");
  return {};
}

}  // namespace

Result<ResolvedDatabase> resolve(const config::Configuration& configuration, ResolveMode mode) {
  const auto& database = configuration.database;
  ResolvedDatabase result;
  result.backend = database.backend;
  std::optional<DatabaseUrl> url;
  if (!database.url.empty()) {
    auto parsed = parse_url(database.url.reveal());
    if (!parsed) return tl::unexpected(parsed.error());
    if (database.backend != Backend::kNone && database.backend != parsed->backend) {
      return bad("database.url: its scheme is " + parsed->scheme + ", but database.backend is " +
                 name_of(database.backend) + ": change one of the two");
    }
    result.backend = parsed->backend;
    url = std::move(*parsed);
  }
  Result<void> done;
  if (result.backend == Backend::kPostgres) {
    done = resolve_postgres(configuration, url, mode, result);
  } else if (result.backend == Backend::kSqlite && url) {
    done = from_sqlite_url(std::move(*url), result);
  } else if (result.backend == Backend::kSqlite) {
    auto file = absolute_file("database.sqlite.path", database.sqlite.path);
    if (!file) return tl::unexpected(file.error());
    result.sqlite_path = std::move(*file);
  }
  if (!done) return tl::unexpected(done.error());
  return result;
}

std::string search_path(const ResolvedDatabase& resolved) {
  return resolved.schema.empty() ? "" : quote_identifier(resolved.schema);
}

std::string connection_options(const ResolvedDatabase& resolved) {
  const auto given = resolved.parameters.find("options");
  std::string options = given == resolved.parameters.end() ? "" : given->second;
  if (resolved.schema.empty() || options.find("search_path") != std::string::npos) return options;
  return options + (options.empty() ? "" : " ") + "-csearch_path=" + escape_option(search_path(resolved));
}

}  // namespace slipway::database
