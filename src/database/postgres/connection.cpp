#include "database/postgres/connection.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <libpq-fe.h>
#include <poll.h>
#include <set>

#include "database/postgres/connect_failure.hpp"

namespace slipway::database::postgres {
namespace {

struct FinishConnection {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
struct FreeMemory {
  void operator()(char* memory) const { PQfreemem(memory); }
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;
using MemoryHandle = std::unique_ptr<char, FreeMemory>;

/// URLs carry words of other drivers (asyncpg's, SQLAlchemy's) which libpq would refuse.
bool is_libpq_keyword(const std::string& name) {
  static const std::set<std::string> keywords = [] {
    std::set<std::string> names;
    PQconninfoOption* options = PQconndefaults();
    for (const auto* option = options; option != nullptr && option->keyword != nullptr; ++option) {
      names.insert(option->keyword);
    }
    PQconninfoFree(options);
    return names;
  }();
  return keywords.contains(name);
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (&part == parts.data() ? "" : ",") + part;
  return text;
}

void forward_notice(void* receiver, const PGresult* result) {
  const auto& report = *static_cast<const Report*>(receiver);
  const char* severity = PQresultErrorField(result, PG_DIAG_SEVERITY);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message != nullptr) say(report, std::string(severity == nullptr ? "NOTICE" : severity) + ": " + message);
}

std::string setting(const ConnectionParameters& parameters, const char* key) {
  const auto found = parameters.values.find(key);
  return found == parameters.values.end() ? std::string() : found->second;
}

ConnectionHandle start(const ConnectionParameters& parameters) {
  std::vector<const char*> keys;
  std::vector<const char*> values;
  for (const auto& [key, value] : parameters.values) {
    keys.push_back(key.c_str());
    values.push_back(value.c_str());
  }
  if (!parameters.password.empty()) {
    keys.push_back("password");
    values.push_back(parameters.password.reveal().c_str());
  }
  keys.push_back(nullptr);
  values.push_back(nullptr);
  return ConnectionHandle(PQconnectStartParams(keys.data(), values.data(), 0));
}

enum class Progress { kConnected, kFailed, kTimedOut };

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

/// libpq's own loop has the timeout per host only in its blocking form, which tells no SQLSTATE; so it is here.
Progress drive(PGconn* connection, Clock::time_point deadline, std::chrono::milliseconds per_host) {
  std::string host;
  auto host_deadline = deadline;
  auto state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return Progress::kFailed;
    const char* name = PQhost(connection);
    const std::string now = std::string(name == nullptr ? "" : name) + ":" + PQport(connection);
    if (now != host) {
      host = now;
      host_deadline = std::min(deadline, Clock::now() + per_host);
    }
    pollfd ready{PQsocket(connection), static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (ready.fd < 0) return Progress::kFailed;
    const int count = poll(&ready, 1, milliseconds_until(host_deadline));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return Progress::kTimedOut;
    state = PQconnectPoll(connection);
  }
  return Progress::kConnected;
}

std::chrono::milliseconds host_timeout(const ConnectionParameters& parameters) {
  const auto text = setting(parameters, "connect_timeout");
  const int seconds = text.empty() ? 0 : std::atoi(text.c_str());
  return seconds > 0 ? std::chrono::seconds(seconds) : std::chrono::hours(1);
}

/// Takes the host that did not answer out of the list, so that one black hole does not hide the others.
bool drop_host(ConnectionParameters& parameters, PGconn* connection) {
  auto hosts = split(setting(parameters, "host"));
  auto ports = split(setting(parameters, "port"));
  const char* host = PQhost(connection);
  for (std::size_t i = 0; host != nullptr && hosts.size() > 1 && i < hosts.size(); ++i) {
    const auto& port = ports.size() == hosts.size() ? ports[i] : ports.front();
    if (hosts[i] != host || port != PQport(connection)) continue;
    if (ports.size() == hosts.size()) ports.erase(ports.begin() + static_cast<std::ptrdiff_t>(i));
    hosts.erase(hosts.begin() + static_cast<std::ptrdiff_t>(i));
    parameters.values["host"] = join(hosts);
    parameters.values["port"] = join(ports);
    return true;
  }
  return false;
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : text;
}

}  // namespace

struct Connection::State {
  Report report;
  ConnectionHandle handle;
};

ConnectionParameters application_parameters(const ResolvedDatabase& database) {
  ConnectionParameters parameters;
  parameters.password = database.password;
  for (const auto& [key, value] : database.parameters) {
    if (key == "password") {
      if (parameters.password.empty()) parameters.password = config::Secret(value);
    } else if (is_libpq_keyword(key)) {
      parameters.values[key] = value;
    }
  }
  std::vector<std::string> hosts;
  std::vector<std::string> ports;
  for (const auto& endpoint : database.endpoints) {
    hosts.push_back(endpoint.host);
    ports.push_back(endpoint.port);
  }
  const auto set = [&](const char* key, const std::string& value) {
    if (!value.empty()) parameters.values[key] = value;
  };
  set("host", join(hosts));
  set("port", join(ports));
  set("dbname", database.name);
  set("user", database.user);
  set("sslmode", database.sslmode);
  set("sslrootcert", database.sslrootcert);
  set("channel_binding", database.channel_binding);
  set("target_session_attrs", database.target_session_attrs);
  set("connect_timeout", std::to_string(database.connect_timeout_seconds));
  set("application_name", "slipway");
  set("client_encoding", "UTF8");
  // A session that carries a lock must notice a dead peer; Kerberos is not offered and would only cost time.
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"gssencmode", "disable"},
                                                                  {"keepalives_idle", "30"},
                                                                  {"keepalives_interval", "10"},
                                                                  {"keepalives_count", "3"}}) {
    parameters.values.try_emplace(key, value);
  }
  return parameters;
}

std::string describe(const ConnectionParameters& parameters) {
  const auto hosts = split(setting(parameters, "host"));
  const auto ports = split(setting(parameters, "port"));
  std::vector<std::string> places;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const auto& port = ports.size() == hosts.size() ? ports[i] : ports.front();
    places.push_back(hosts[i] + ":" + (port.empty() ? "5432" : port));
  }
  return join(places) + "/" + setting(parameters, "dbname") + " as " + setting(parameters, "user");
}

std::string Rows::value() const {
  return rows.empty() || rows.front().empty() ? std::string() : rows.front().front().value_or(std::string());
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

tl::expected<Connection, ConnectFailure> Connection::open(const ConnectionParameters& parameters,
                                                          Clock::time_point deadline, const Report& report) {
  const auto where = describe(parameters);
  auto left = parameters;
  for (;;) {
    auto state = std::make_unique<State>();
    state->report = report;
    state->handle = start(left);
    auto* handle = state->handle.get();
    if (handle == nullptr) {
      return tl::unexpected(ConnectFailure{Error{where + ": out of memory", ExitCode::kInternal}, false});
    }
    PQsetErrorVerbosity(handle, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(handle, forward_notice, &state->report);
    if (PQstatus(handle) == CONNECTION_BAD) {
      return tl::unexpected(classify_connect_failure(where, PQerrorMessage(handle)));
    }
    switch (drive(handle, deadline, host_timeout(left))) {
      case Progress::kConnected:
        return Connection(std::move(state));
      case Progress::kFailed:
        return tl::unexpected(classify_connect_failure(where, PQerrorMessage(handle)));
      case Progress::kTimedOut:
        if (Clock::now() < deadline && drop_host(left, handle)) continue;
        return tl::unexpected(ConnectFailure{
            Error{where + ": timed out: " + one_line(PQerrorMessage(handle)), ExitCode::kDatabaseUnavailable}, true});
    }
  }
}

namespace {

tl::unexpected<Error> statement_failure(PGconn* connection, const PGresult* result, ExitCode code) {
  const auto where = std::string(PQhost(connection)) + ":" + PQport(connection) + "/" + PQdb(connection);
  if (PQstatus(connection) == CONNECTION_BAD) {
    return failure(ExitCode::kDatabaseUnavailable,
                   where + ": connection lost: " + one_line(PQerrorMessage(connection)));
  }
  // Only these fields: the full message may quote the statement, and a statement may hold a verifier.
  auto message = where + ": " + field(result, PG_DIAG_SQLSTATE) + " " + field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (const auto detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += ": " + detail;
  if (const auto hint = field(result, PG_DIAG_MESSAGE_HINT); !hint.empty()) message += ": " + hint;
  return failure(code, message);
}

bool succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

Rows rows_of(const PGresult* result) {
  Rows rows;
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& columns = rows.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        columns.emplace_back();
      } else {
        columns.emplace_back(PQgetvalue(result, row, column));
      }
    }
  }
  return rows;
}

}  // namespace

Result<Rows> Connection::query(const std::string& sql, const std::vector<std::string>& parameters, ExitCode code) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) values.push_back(parameter.c_str());
  const ResultHandle result(PQexecParams(native(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                         nullptr, nullptr, 0));
  if (!succeeded(result.get())) return statement_failure(native(), result.get(), code);
  return rows_of(result.get());
}

Result<Rows> Connection::query_until(Clock::time_point deadline, const std::string& sql) {
  const auto code = ExitCode::kDatabaseUnavailable;
  if (PQsendQuery(native(), sql.c_str()) == 0) return statement_failure(native(), nullptr, code);
  while (PQisBusy(native()) != 0) {
    pollfd ready{PQsocket(native()), POLLIN, 0};
    const int count = poll(&ready, 1, milliseconds_until(deadline));
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) return failure(code, std::string(PQhost(native())) + ": connected, but does not answer");
    if (PQconsumeInput(native()) == 0) return statement_failure(native(), nullptr, code);
  }
  const ResultHandle result(PQgetResult(native()));
  while (const ResultHandle rest{PQgetResult(native())}) {
  }
  if (!succeeded(result.get())) return statement_failure(native(), result.get(), code);
  return rows_of(result.get());
}

Result<void> Connection::execute(const std::string& sql, ExitCode code) {
  const ResultHandle result(PQexec(native(), sql.c_str()));
  if (!succeeded(result.get())) return statement_failure(native(), result.get(), code);
  return {};
}

Result<std::string> Connection::quote_identifier(const std::string& name) const {
  const MemoryHandle quoted(PQescapeIdentifier(native(), name.data(), name.size()));
  if (!quoted) return failure(ExitCode::kConfiguration, "database name: " + one_line(PQerrorMessage(native())));
  return std::string(quoted.get());
}

Result<std::string> Connection::quote_literal(const std::string& text) const {
  const MemoryHandle quoted(PQescapeLiteral(native(), text.data(), text.size()));
  if (!quoted) return failure(ExitCode::kConfiguration, "database value: " + one_line(PQerrorMessage(native())));
  return std::string(quoted.get());
}

Result<std::string> Connection::scram_verifier(const config::Secret& password, const std::string& user) const {
  const MemoryHandle verifier(
      PQencryptPasswordConn(native(), password.reveal().c_str(), user.c_str(), "scram-sha-256"));
  if (!verifier) return failure(ExitCode::kInternal, "password: " + one_line(PQerrorMessage(native())));
  return std::string(verifier.get());
}

bool Connection::alive() { return query("SELECT 1").has_value(); }
int Connection::backend_pid() const { return PQbackendPID(native()); }
int Connection::server_version() const { return PQserverVersion(native()); }
pg_conn* Connection::native() const { return state_->handle.get(); }

}  // namespace slipway::database::postgres
