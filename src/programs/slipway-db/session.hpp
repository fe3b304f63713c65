#pragma once
// What every subcommand starts from: the configuration, the database it means, and a voice that knows the secrets.

#include <string>
#include <string_view>

#include "config/loader.hpp"
#include "database/report.hpp"
#include "database/resolve.hpp"
#include "logging/redaction.hpp"

namespace slipway::programs {

class Session {
 public:
  /// Loads and resolves. Every diagnostic is a line of the error (78).
  [[nodiscard]] static Result<Session> open(const std::string& config_path);

  [[nodiscard]] const config::Configuration& configuration() const { return loaded_.configuration; }
  [[nodiscard]] const config::StringMap& environment() const { return loaded_.environment; }
  [[nodiscard]] const database::ResolvedDatabase& database() const { return database_; }
  /// Writes `info: ...` to standard error, secrets taken out. Lives as long as the session.
  [[nodiscard]] database::Report report() const;
  [[nodiscard]] std::string redacted(std::string_view text) const { return redaction_.apply(text); }

 private:
  config::Loaded loaded_;
  database::ResolvedDatabase database_;
  logging::Redaction redaction_;
};

/// One line, or several of one message, to standard error in one write.
void print_line(std::string_view level, std::string_view text);

/// Writes to standard output.
void print_result(std::string_view text);

}  // namespace slipway::programs
