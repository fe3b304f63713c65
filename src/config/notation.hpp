#pragma once
// The small notations of a configuration (durations, signals, modes, command lines, addresses), also for the command
// line and for showing values. Pure. An error's message says what was expected, without a place: callers prefix
// theirs. Its code is kConfiguration.

#include <string>
#include <string_view>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::config {

/// `250ms`, `5s`, `10m`, `1h30m`, `0s`. A bare number (other than 0) has no unit and is refused.
[[nodiscard]] Result<Duration> parse_duration(std::string_view text);
/// The shortest text that parse_duration reads back: `1h30m`, `250ms`, `0s`.
[[nodiscard]] std::string format_duration(Duration duration);

/// `TERM`, `SIGTERM`, `term` or `15`; 1..64 (signal(7)).
[[nodiscard]] Result<Signal> parse_signal(std::string_view text);
/// `TERM`; `RTMIN+1` for real-time signals; the number for anything else.
[[nodiscard]] std::string signal_name(int number);

/// `0644` or `644`: octal, at most 07777.
[[nodiscard]] Result<FileMode> parse_mode(std::string_view text);
/// `0644`.
[[nodiscard]] std::string format_mode(FileMode mode);

/// `512KiB`, `10MiB`, `1GB`, `0`: powers of 1024 with an i, of 1000 without. A bare number (other than 0) is refused.
[[nodiscard]] Result<Size> parse_size(std::string_view text);
/// The shortest text that parse_size reads back: `10MiB`, `1GB`, `0`.
[[nodiscard]] std::string format_size(Size size);

/// Splits as a shell splits words: quotes and backslashes, no expansion, no comments. Refuses unbalanced quotes.
[[nodiscard]] Result<CommandLine> split_command_line(std::string_view text);
/// One line that split_command_line reads back to the same words.
[[nodiscard]] std::string join_command_line(const CommandLine& command);

/// `127.0.0.1:8000`, `[::1]:8000` or `localhost:8000`. Other host names are refused: a look-up would block PID 1.
[[nodiscard]] Result<TcpProbe> parse_tcp_address(std::string_view text);

struct HttpAddress {
  TcpProbe endpoint;   ///< port 80 unless given
  std::string target;  ///< path and query, never empty
};
/// `http://127.0.0.1:8000/health?full=1`; hosts as parse_tcp_address; no TLS, no user information.
[[nodiscard]] Result<HttpAddress> parse_http_url(std::string_view text);

}  // namespace slipway::config
