// The resolved database in the words of those who connect to it: SQLAlchemy, libpq, JDBC, Django.

#include <algorithm>
#include <set>

#include "database/libpq_text.hpp"
#include "database/resolve.hpp"
#include "database/url.hpp"

namespace slipway::database {
namespace {

using config::Backend;
using config::ExportForm;

std::string joined(const std::vector<Endpoint>& endpoints, std::string Endpoint::* member) {
  std::string result;
  for (const auto& endpoint : endpoints) result += (result.empty() ? "" : ",") + endpoint.*member;
  return result;
}

/// Who reads the query part: libpq's own names, asyncpg's, or a driver that takes neither.
enum class Dialect { kLibpq, kAsyncpg, kOther };

Dialect dialect_of(const std::string& driver) {
  if (driver.empty() || driver.starts_with("psycopg") || driver == "aiopg" || driver == "pygresql") {
    return Dialect::kLibpq;
  }
  return driver == "asyncpg" ? Dialect::kAsyncpg : Dialect::kOther;
}

class Query {
 public:
  void add(const std::string& key, const std::string& value) {
    text_ += (text_.empty() ? "?" : "&") + percent_encode(key) + "=" + percent_encode(value);
  }
  /// Left out where the value is the reader's default anyway.
  void add_unless(const std::string& key, const std::string& value, const std::string& usual) {
    if (!value.empty() && value != usual) add(key, value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// A plain host goes into the authority; several hosts and socket directories go into the query, which is the one
/// spelling that SQLAlchemy and libpq both understand.
std::string authority(const ResolvedDatabase& resolved, Query& query) {
  const auto& first = resolved.endpoints.front();
  if (resolved.endpoints.size() > 1 || first.host.starts_with('/') || first.host.starts_with('@')) {
    query.add("host", joined(resolved.endpoints, &Endpoint::host));
    query.add("port", joined(resolved.endpoints, &Endpoint::port));
    return "";
  }
  const bool v6 = first.host.find(':') != std::string::npos;
  return (v6 ? "[" + first.host + "]" : percent_encode(first.host)) + ":" + first.port;
}

void add_parameters(const ResolvedDatabase& resolved, Dialect dialect, Query& query) {
  if (dialect == Dialect::kLibpq) {
    query.add_unless("sslmode", resolved.sslmode, "prefer");
    query.add_unless("sslrootcert", resolved.sslrootcert, "");
    query.add_unless("channel_binding", resolved.channel_binding, "prefer");
    query.add_unless("target_session_attrs", resolved.target_session_attrs, "any");
    query.add_unless("options", connection_options(resolved), "");
  } else if (dialect == Dialect::kAsyncpg) {
    query.add_unless("ssl", resolved.sslmode, "prefer");
  }
  for (const auto& [key, value] : resolved.parameters) {
    const bool known = is_libpq_keyword(key);
    if (key != "options" && (!known || dialect == Dialect::kLibpq)) query.add(key, value);
  }
}

std::string postgres_url(const ResolvedDatabase& resolved, const std::string& driver) {
  Query query;
  std::string user = percent_encode(resolved.user);
  if (!resolved.password.empty()) user += ":" + percent_encode(resolved.password.reveal());
  const std::string host = authority(resolved, query);
  add_parameters(resolved, dialect_of(driver), query);
  return "postgresql" + (driver.empty() ? "" : "+" + driver) + "://" + user + "@" + host + "/" +
         percent_encode(resolved.name) + query.text();
}

/// SQLAlchemy takes the path as it is, without decoding, up to a question mark; a path that holds one is written as
/// SQLite's own URI, which SQLite decodes itself.
std::string sqlite_url(const ResolvedDatabase& resolved, const std::string& driver) {
  Query query;
  std::string path = resolved.sqlite_path;
  if (path.find('?') != std::string::npos) {
    std::string encoded;
    for (const char c : path) encoded += c == '/' ? "/" : percent_encode({&c, 1});
    path = "file:" + encoded;
    query.add("uri", "true");
  }
  for (const auto& [key, value] : resolved.parameters) query.add(key, value);
  return "sqlite" + (driver.empty() ? "" : "+" + driver) + ":///" + path + query.text();
}

std::string dsn(const ResolvedDatabase& resolved) {
  std::string result;
  const auto add = [&result](const std::string& key, const std::string& value) {
    if (!value.empty()) result += (result.empty() ? "" : " ") + key + "=" + quote_conninfo(value);
  };
  add("host", joined(resolved.endpoints, &Endpoint::host));
  add("port", joined(resolved.endpoints, &Endpoint::port));
  add("dbname", resolved.name);
  add("user", resolved.user);
  add("password", resolved.password.reveal());
  add("sslmode", resolved.sslmode);
  add("sslrootcert", resolved.sslrootcert);
  add("channel_binding", resolved.channel_binding);
  add("target_session_attrs", resolved.target_session_attrs);
  add("connect_timeout", std::to_string(resolved.connect_timeout_seconds));
  add("options", connection_options(resolved));
  for (const auto& [key, value] : resolved.parameters) {
    if (key != "options" && is_libpq_keyword(key)) add(key, value);
  }
  return result;
}

std::string jdbc_server_type(const std::string& attributes) {
  if (attributes == "read-write" || attributes == "primary") return "primary";
  if (attributes == "read-only" || attributes == "standby") return "secondary";
  return attributes == "prefer-standby" ? "preferSecondary" : "";
}

std::string jdbc(const ResolvedDatabase& resolved) {
  if (resolved.backend == Backend::kSqlite) return "jdbc:sqlite:" + resolved.sqlite_path;
  Query query;
  std::string hosts;
  for (const auto& [host, port] : resolved.endpoints) {
    const bool v6 = host.find(':') != std::string::npos;
    hosts += (hosts.empty() ? "" : ",") + (v6 ? "[" + host + "]" : percent_encode(host)) + ":" + port;
  }
  query.add("user", resolved.user);
  query.add_unless("password", resolved.password.reveal(), "");
  query.add("sslmode", resolved.sslmode);
  query.add_unless("sslrootcert", resolved.sslrootcert, "");
  query.add_unless("channelBinding", resolved.channel_binding, "prefer");
  query.add_unless("targetServerType", jdbc_server_type(resolved.target_session_attrs), "");
  query.add_unless("currentSchema", search_path(resolved), "");
  return "jdbc:postgresql://" + hosts + "/" + percent_encode(resolved.name) + query.text();
}

std::string backend_name(Backend backend) {
  if (backend == Backend::kSqlite) return "sqlite";
  return backend == Backend::kPostgres ? "postgres" : "none";
}

config::StringMap libpq_environment(const ResolvedDatabase& resolved) {
  config::StringMap result{{"PGHOST", joined(resolved.endpoints, &Endpoint::host)},
                           {"PGPORT", joined(resolved.endpoints, &Endpoint::port)},
                           {"PGDATABASE", resolved.name},
                           {"PGUSER", resolved.user},
                           {"PGPASSWORD", resolved.password.reveal()},
                           {"PGSSLMODE", resolved.sslmode},
                           {"PGCONNECT_TIMEOUT", std::to_string(resolved.connect_timeout_seconds)}};
  const auto add_unless = [&result](const char* name, const std::string& value, const char* usual) {
    if (!value.empty() && value != usual) result[name] = value;
  };
  add_unless("PGOPTIONS", connection_options(resolved), "");
  add_unless("PGSSLROOTCERT", resolved.sslrootcert, "");
  add_unless("PGCHANNELBINDING", resolved.channel_binding, "prefer");
  add_unless("PGTARGETSESSIONATTRS", resolved.target_session_attrs, "any");
  return result;
}

std::string sqlite_value(const config::Export& wanted, const ResolvedDatabase& resolved) {
  switch (wanted.form) {
    case ExportForm::kUrl:
      return sqlite_url(resolved, wanted.driver.sqlite);
    case ExportForm::kJdbc:
      return jdbc(resolved);
    case ExportForm::kDsn:
    case ExportForm::kName:
    case ExportForm::kPath:
      return resolved.sqlite_path;
    default:
      return "";
  }
}

}  // namespace

std::string exported_value(const config::Export& wanted, const ResolvedDatabase& resolved) {
  if (wanted.form == ExportForm::kBackend) return backend_name(resolved.backend);
  if (resolved.backend == Backend::kNone) return "";
  if (resolved.backend == Backend::kSqlite) return sqlite_value(wanted, resolved);
  switch (wanted.form) {
    case ExportForm::kUrl:
      return postgres_url(resolved, wanted.driver.postgres);
    case ExportForm::kDsn:
      return dsn(resolved);
    case ExportForm::kJdbc:
      return jdbc(resolved);
    case ExportForm::kHost:
      return joined(resolved.endpoints, &Endpoint::host);
    case ExportForm::kPort:
      return joined(resolved.endpoints, &Endpoint::port);
    case ExportForm::kName:
      return resolved.name;
    case ExportForm::kUser:
      return resolved.user;
    case ExportForm::kPassword:
      return resolved.password.reveal();
    case ExportForm::kSchema:
      return resolved.schema;
    case ExportForm::kSslmode:
      return resolved.sslmode;
    default:
      return "";
  }
}

config::StringMap exported_environment(const config::Database& database, const ResolvedDatabase& resolved) {
  config::StringMap result;
  if (resolved.backend == Backend::kPostgres) result = libpq_environment(resolved);
  for (const auto& [name, wanted] : database.exports) result[name] = exported_value(wanted, resolved);
  return result;
}

std::vector<std::string> secret_texts(const ResolvedDatabase& resolved) {
  std::set<std::string> texts;
  const auto add = [&texts](const std::string& secret) {
    if (secret.empty()) return;
    texts.insert(secret);
    texts.insert(percent_encode(secret));
    const auto quoted = quote_conninfo(secret);
    texts.insert(quoted.substr(1, quoted.size() - 2));
  };
  add(resolved.password.reveal());
  if (const auto found = resolved.parameters.find("sslpassword"); found != resolved.parameters.end()) {
    add(found->second);
  }
  return {texts.begin(), texts.end()};
}

}  // namespace slipway::database
