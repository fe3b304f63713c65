#pragma once
// One connection to a PostgreSQL server: libpq behind RAII, with deadlines and errors as values. Used by one thread.
// Parameters travel as arrays, never as one conninfo string, so nothing needs escaping and a password is in no text
// that could be logged.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/postgres/report.hpp"
#include "database/resolve.hpp"

struct pg_conn;

namespace slipway::database::postgres {

using Clock = std::chrono::steady_clock;

/// libpq's keywords (PQconnectdbParams) with the password apart.
struct ConnectionParameters {
  config::StringMap values;
  config::Secret password;
};

/// The application's own connection as resolved: every host, TLS options, target_session_attrs, search_path left to
/// the role. `application_name` is "slipway".
[[nodiscard]] ConnectionParameters application_parameters(const ResolvedDatabase& database);

/// "db:5432/app as app", several hosts comma-separated. Never contains the password.
[[nodiscard]] std::string describe(const ConnectionParameters& parameters);

/// Why a connection could not be made. `retryable` is true when waiting may help: refused, no route, name not found
/// yet, starting up, in recovery, too many connections, timed out, no host with the wanted session attributes.
/// Authentication (77), a missing database and TLS problems (69) are final.
struct ConnectFailure {
  Error error;
  bool retryable = false;
};

/// A result set in text form; SQL NULL is an empty optional.
struct Rows {
  std::vector<std::vector<std::optional<std::string>>> rows;
  [[nodiscard]] bool empty() const { return rows.empty(); }
  /// First column of the first row; empty when there is none or it is NULL.
  [[nodiscard]] std::string value() const;
};

class Connection {
 public:
  /// Connects and authenticates, or fails by `deadline`. Server notices go to `report`, when given, for the life of
  /// the connection.
  static tl::expected<Connection, ConnectFailure> open(const ConnectionParameters& parameters,
                                                       Clock::time_point deadline, const Report& report = {});
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  /// One statement, with `$1` parameters in text form. Errors carry the server's message, SQLSTATE and hint with
  /// `code`; a lost connection is kDatabaseUnavailable whatever `code` is.
  [[nodiscard]] Result<Rows> query(const std::string& sql, const std::vector<std::string>& parameters = {},
                                   ExitCode code = ExitCode::kInternal);
  /// One statement without parameters that is given up at `deadline` (69); the connection is then of no more use. A
  /// pooler accepts sessions that it has no server for.
  [[nodiscard]] Result<Rows> query_until(Clock::time_point deadline, const std::string& sql);
  /// One or several statements without parameters (the simple protocol: several run as one transaction).
  [[nodiscard]] Result<void> execute(const std::string& sql, ExitCode code = ExitCode::kInternal);

  /// Quoted by libpq for this connection's encoding. Fails for text that is invalid in that encoding.
  [[nodiscard]] Result<std::string> quote_identifier(const std::string& name) const;
  [[nodiscard]] Result<std::string> quote_literal(const std::string& text) const;
  /// The SCRAM-SHA-256 verifier for ALTER ROLE ... PASSWORD, so that the plain password never reaches the server.
  [[nodiscard]] Result<std::string> scram_verifier(const config::Secret& password, const std::string& user) const;

  /// Asks the server (SELECT 1): the only way to know that a session still lives.
  [[nodiscard]] bool alive();
  [[nodiscard]] int backend_pid() const;
  [[nodiscard]] int server_version() const;  ///< 150004 for 15.4
  [[nodiscard]] pg_conn* native() const;

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace slipway::database::postgres
