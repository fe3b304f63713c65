#include "database/postgres/connect_failure.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace slipway::database::postgres {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

template <std::size_t N>
bool contains_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return contains(text, part); });
}

/// The five characters of "FATAL:  28P01: ..."; the severity before them may be translated.
std::string_view sqlstate_of(std::string_view text) {
  for (std::size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const auto state = text.substr(at + 3, 5);
    const bool code = state.size() == 5 && std::all_of(state.begin(), state.end(), [](unsigned char c) {
                        return std::isdigit(c) != 0 || std::isupper(c) != 0;
                      });
    if (code && text.substr(at + 8, 1) == ":") return state;
  }
  return {};
}

/// One attempt of several: what follows the last "connection to server".
std::string_view last_attempt(std::string_view text) {
  const auto at = text.rfind("connection to server ");
  return at == std::string_view::npos ? text : text.substr(at);
}

ConnectFailure final_failure(ExitCode code, const std::string& text, const char* advice) {
  return {Error{text + ": " + advice, code}, false};
}

ConnectFailure retryable(const std::string& text) { return {Error{text, ExitCode::kDatabaseUnavailable}, true}; }

/// What the server itself said, by SQLSTATE (PostgreSQL's appendix A).
ConnectFailure classify_state(std::string_view state, std::string_view attempt, const std::string& text) {
  // An explicit reject rule is how a server that is being provisioned answers, a Slipway of another container included.
  if (state == "28000" && contains(attempt, "pg_hba.conf reject")) return retryable(text);
  if (state.starts_with("28")) return final_failure(ExitCode::kPermission, text, "check the user and the password");
  if (state == "42501") return final_failure(ExitCode::kPermission, text, "grant CONNECT on the database to the role");
  if (state == "3D000") {
    return final_failure(ExitCode::kDatabaseUnavailable, text,
                         "create the database, or correct database.postgres.name");
  }
  const auto family = state.substr(0, 2);
  if (family == "08" || family == "53" || family == "57" || family == "25") return retryable(text);
  return final_failure(ExitCode::kDatabaseUnavailable, text, "the server refused the session");
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())) != 0) line.remove_prefix(1);
    if (line.empty() || line.starts_with("LOCATION:")) continue;
    if (!result.empty()) result += "; ";
    result += line;
  }
  return result;
}

ConnectFailure classify_connect_failure(const std::string& where, std::string_view text) {
  using Words = std::string_view;
  const auto attempt = last_attempt(text);
  const std::string message = where + ": " + one_line(text);
  if (const auto state = sqlstate_of(attempt); !state.empty()) return classify_state(state, attempt, message);
  static constexpr std::array kAuthentication{
      Words("no password supplied"),  Words("authentication method requirement"),
      Words("channel binding"),       Words("SCRAM authentication requires"),
      Words("authentication method"), Words("server signature")};
  if (contains_any(attempt, kAuthentication)) {
    return final_failure(ExitCode::kPermission, message, "check the password and channel_binding");
  }
  static constexpr std::array kPassing{Words("SSL SYSCALL error"), Words("SSL connection has been closed"),
                                       Words("unexpected eof")};
  if (contains_any(attempt, kPassing)) return retryable(message);
  static constexpr std::array kTls{Words("SSL error"),        Words("server does not support SSL"),
                                   Words("root certificate"), Words("server certificate"),
                                   Words("certificate file"), Words("private key file"),
                                   Words("SSL certificate"),  Words("host name must be specified")};
  if (contains_any(attempt, kTls)) {
    return final_failure(ExitCode::kDatabaseUnavailable, message, "check sslmode, sslrootcert and the certificate");
  }
  static constexpr std::array kWrong{
      Words("invalid connection option"), Words("invalid port number"), Words("could not match"),
      Words("invalid integer value"),     Words(" value: \""),          Words("Unix-domain socket path")};
  if (contains_any(attempt, kWrong)) {
    return final_failure(ExitCode::kConfiguration, message, "correct the connection's settings");
  }
  if (contains(attempt, "Permission denied")) {
    return final_failure(ExitCode::kPermission, message, "this user may not open the server's socket");
  }
  return retryable(message);
}

}  // namespace slipway::database::postgres
