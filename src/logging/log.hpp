#pragma once
// Slipway's own lines: `2026-11-21T08:40:00.123Z INFO  web[1] started pid=42`, or JSON with time, level, unit, event,
// msg and the event's fields. Hostile text (names, reasons, paths) cannot break a line or drive a terminal: control
// characters are escaped. Secrets are redacted.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/configuration.hpp"
#include "logging/output.hpp"

namespace slipway::logging {

using Level = config::LogLevel;

/// A field of an event: `pid=42` in text, `"pid":42` in JSON.
struct Field {
  std::string_view name;
  std::variant<std::int64_t, std::string_view, bool> value;
};

class Log {
 public:
  /// The output must outlive the log.
  Log(Output& output, const config::Logging& settings);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// `unit` and `event` may be empty. The text form shows unit, message and fields; the event's name is for JSON.
  void write(Level level, std::string_view unit, std::string_view event, std::string_view message,
             const std::vector<Field>& fields = {});
  void debug(std::string_view message) { write(Level::kDebug, {}, {}, message); }
  void info(std::string_view message) { write(Level::kInfo, {}, {}, message); }
  void warning(std::string_view message) { write(Level::kWarning, {}, {}, message); }
  void error(std::string_view message) { write(Level::kError, {}, {}, message); }

  /// Whatever is printed after this shows *** instead of these, as they are and percent-encoded; the longest are
  /// replaced first. Empty ones and ones of a single character are ignored.
  void redact(const std::vector<std::string>& secrets);

  /// Shows every line that is written, as it is printed but without colour and newline, to `observer` too (for the
  /// ring).
  void observe(std::function<void(Level level, std::string_view line)> observer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::logging
