#include "config/notation.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <limits>
#include <utility>

namespace slipway::config {
namespace {

tl::unexpected<Error> refuse(std::string message) { return failure(ExitCode::kConfiguration, std::move(message)); }

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

struct Unit {
  std::string_view name;
  long long milliseconds;
};
/// Largest first: the order in which they may follow each other.
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
/// About 100 years: sums of a few durations can never overflow a clock.
constexpr long long kLongest = 100LL * 366 * 86'400'000;

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
/// Largest first.
constexpr std::array<SizeUnit, 9> kSizeUnits{{{"TiB", 1ULL << 40U},
                                              {"TB", 1'000'000'000'000},
                                              {"GiB", 1ULL << 30U},
                                              {"GB", 1'000'000'000},
                                              {"MiB", 1ULL << 20U},
                                              {"MB", 1'000'000},
                                              {"KiB", 1ULL << 10U},
                                              {"KB", 1000},
                                              {"B", 1}}};
/// Sums of a few sizes can never overflow.
constexpr std::uint64_t kLargest = 1ULL << 60U;

constexpr std::array<std::pair<std::string_view, int>, 31> kSignals{{
    {"HUP", SIGHUP},       {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"TRAP", SIGTRAP},
    {"ABRT", SIGABRT},     {"BUS", SIGBUS},     {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"USR1", SIGUSR1},
    {"SEGV", SIGSEGV},     {"USR2", SIGUSR2},   {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM},
    {"CHLD", SIGCHLD},     {"CONT", SIGCONT},   {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU},     {"URG", SIGURG},     {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"PROF", SIGPROF},
    {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"IO", SIGIO},     {"PWR", SIGPWR},   {"SYS", SIGSYS},
    {"STKFLT", SIGSTKFLT},
}};
/// The kernel's numbers for programs: glibc keeps 32 and 33 to itself (signal(7)).
constexpr int kRealTimeFirst = 34;
constexpr int kRealTimeLast = 64;

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'a' && byte <= 'z') byte = static_cast<char>(byte - 'a' + 'A');
  return result;
}

template <typename Number>
bool parse_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string expected = "expected a duration such as 250ms, 10s or 1h30m, got ";
  const auto wrong = [&] { return refuse(expected + '"' + std::string(text) + '"'); };
  if (text == "0") return Duration(0);
  if (long long bare = 0; parse_number(text, bare) && bare > 0)
    return refuse(expected + "\"" + std::string(text) + "\"; a number needs a unit: did you mean " + std::string(text) +
                  "s?");
  long long total = 0;
  std::size_t next_unit = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    long long count = 0;
    const bool digits = end > at;
    const bool fits = parse_number(text.substr(at, end - at), count);
    std::size_t letters = end;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    const std::string_view name = text.substr(end, letters - end);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (!digits || next_unit == kUnits.size()) return wrong();
    const long long unit = kUnits[next_unit++].milliseconds;
    if (!fits || count > (kLongest - total) / unit)
      return refuse("\"" + std::string(text) + "\" is longer than 100 years");
    total += count * unit;
    at = letters;
  }
  if (text.empty()) return wrong();
  return Duration(total);
}

std::string format_duration(Duration duration) {
  long long rest = duration.count();
  if (rest == 0) return "0s";
  std::string text;
  if (rest < 0) {
    text = "-";
    rest = -rest;
  }
  for (const Unit& unit : kUnits) {
    if (rest < unit.milliseconds) continue;
    text += std::to_string(rest / unit.milliseconds) + std::string(unit.name);
    rest %= unit.milliseconds;
  }
  return text;
}

Result<Size> parse_size(std::string_view text) {
  const std::string expected = "expected a size such as 512KiB, 10MiB or 1GB, got \"" + std::string(text) + '"';
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::uint64_t count = 0;
  const std::string_view name = text.substr(end);
  const bool fits = parse_number(text.substr(0, end), count);
  if (name.empty() && fits && count == 0) return Size{};
  if (name.empty() && end > 0)
    return refuse(expected + "; a number needs a unit: did you mean " + std::string(text) + "MiB?");
  for (const SizeUnit& unit : kSizeUnits) {
    if (end == 0 || (name != unit.name && !(name == "kB" && unit.name == "KB"))) continue;
    if (!fits || count > kLargest / unit.bytes) return refuse("\"" + std::string(text) + "\" is larger than 1 EiB");
    return Size{count * unit.bytes};
  }
  return refuse(expected);
}

std::string format_size(Size size) {
  if (size.bytes == 0) return "0";
  for (const SizeUnit& unit : kSizeUnits) {
    if (size.bytes % unit.bytes == 0) return std::to_string(size.bytes / unit.bytes) + std::string(unit.name);
  }
  return {};
}

Result<Signal> parse_signal(std::string_view text) {
  int number = 0;
  if (parse_number(text, number)) {
    if (number >= 1 && number <= kRealTimeLast) return Signal{number};
    return refuse("expected a signal number from 1 to 64, got " + std::string(text));
  }
  std::string name = upper(text);
  if (name.starts_with("SIG")) name.erase(0, 3);
  for (const auto& [known, value] : kSignals)
    if (name == known) return Signal{value};
  if (name == "POLL") return Signal{SIGIO};
  for (const auto& [prefix, base, sign] : {std::tuple{"RTMIN", kRealTimeFirst, 1}, {"RTMAX", kRealTimeLast, -1}}) {
    if (!name.starts_with(prefix)) continue;
    const std::string_view offset = std::string_view(name).substr(5);
    if (offset.empty()) return Signal{base};
    if (offset[0] == (sign > 0 ? '+' : '-') && is_digit(offset.substr(1).empty() ? 'x' : offset[1]) &&
        parse_number(offset.substr(1), number) && number <= kRealTimeLast - kRealTimeFirst)
      return Signal{base + sign * number};
  }
  return refuse("expected a signal such as TERM, SIGUSR1 or 15, got \"" + std::string(text) + '"');
}

std::string signal_name(int number) {
  for (const auto& [name, value] : kSignals)
    if (value == number) return std::string(name);
  if (number == kRealTimeFirst) return "RTMIN";
  if (number > kRealTimeFirst && number <= kRealTimeLast) return "RTMIN+" + std::to_string(number - kRealTimeFirst);
  return std::to_string(number);
}

Result<FileMode> parse_mode(std::string_view text) {
  unsigned bits = 0;
  std::string_view digits = text;
  if (digits.starts_with("0o")) digits.remove_prefix(2);
  if (digits.size() >= 3 && digits.size() <= 5 && parse_number(digits, bits, 8) && bits <= 07777) return FileMode{bits};
  return refuse("expected an octal mode such as \"0644\", got \"" + std::string(text) + '"');
}

std::string format_mode(FileMode mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + ((mode.bits >> shift) & 7U));
  return text;
}

}  // namespace slipway::config
