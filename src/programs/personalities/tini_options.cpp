#include "programs/personalities/tini_options.hpp"

#include <charconv>
#include <string_view>
#include <unistd.h>

#include "config/notation.hpp"
#include "version.hpp"

namespace slipway::program {
namespace {

constexpr int kMisuse = 1;

std::string usage() {
  return std::string("tini (slipway ") + kVersion + R"()
Usage: tini [OPTIONS] -- PROGRAM [ARGS...]

Runs PROGRAM, forwards signals to it, reaps orphans and ends with its exit code.

  -p SIGNAL  be sent SIGNAL when the parent process dies, e.g. -p SIGKILL
  -s         adopt orphans although not PID 1, as a child subreaper
  -g         forward signals to the program's whole process group
  -e CODE    exit with 0 instead of CODE (0 to 255); may be repeated
  -w         warn about each orphan that is reaped
  -v         say more; up to three times
  -l         show the licence
  -h         show this help
  --version  show the version; alone on the command line

Environment: TINI_SUBREAPER and TINI_KILL_PROCESS_GROUP are -s and -g when set; TINI_VERBOSITY is a level (1).
)";
}

std::string fatal(const std::string& text) {
  return "[FATAL tini (" + std::to_string(::getpid()) + ")] " + text + '\n';
}

Refusal invalid(char option, const char* value) {
  return {fatal(std::string("-") + option + ": " + value + " is not valid: " +
                (option == 'p' ? "expected a signal such as SIGTERM" : "expected an exit code from 0 to 255")),
          kMisuse, STDERR_FILENO};
}

bool add_code(std::string_view text, std::bitset<256>& codes) {
  unsigned code = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), code);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || code >= codes.size()) return false;
  codes.set(code);
  return true;
}

void apply_environment(const config::StringMap& environment, TiniOptions& options) {
  options.subreaper = options.subreaper || environment.contains("TINI_SUBREAPER");
  options.kill_process_group = options.kill_process_group || environment.contains("TINI_KILL_PROCESS_GROUP");
  const auto verbosity = environment.find("TINI_VERBOSITY");
  if (verbosity == environment.end()) return;
  options.verbosity = 0;  // as atoi(3): what is no number is 0
  const std::string& text = verbosity->second;
  std::from_chars(text.data(), text.data() + text.size(), options.verbosity);
}

/// What one option means. A refusal ends the parsing.
tl::expected<void, Refusal> apply(int option, const char* value, TiniOptions& options) {
  switch (option) {
    case 'h':
      return tl::unexpected(Refusal{usage(), 0, STDOUT_FILENO});
    case 'l':
      return tl::unexpected(
          Refusal{"This is slipway, which does tini's job; it holds no code of tini. Its licence is Slipway's.\n", 0,
                  STDOUT_FILENO});
    case 's':
      options.subreaper = true;
      return {};
    case 'w':
      options.warn_on_reap = true;
      return {};
    case 'g':
      options.kill_process_group = true;
      return {};
    case 'v':
      ++options.verbosity;
      return {};
    case 'p': {
      const auto signal = config::parse_signal(value);
      if (!signal) return tl::unexpected(invalid('p', value));
      options.parent_death_signal = signal->number;
      return {};
    }
    case 'e':
      if (!add_code(value, options.to_zero)) return tl::unexpected(invalid('e', value));
      return {};
    default:
      return tl::unexpected(Refusal{usage(), kMisuse, STDERR_FILENO});
  }
}

}  // namespace

tl::expected<TiniOptions, Refusal> parse_tini(int argc, char** argv, const config::StringMap& environment) {
  if (argc == 2 && std::string_view(argv[1]) == "--version")
    return tl::unexpected(Refusal{std::string("tini (slipway ") + kVersion + ")\n", 0, STDOUT_FILENO});
  TiniOptions options;
  ::optind = 0;  // from the start, whoever used getopt(3) before
  for (int option = 0; (option = ::getopt(argc, argv, "p:hvwgle:s")) != -1;) {
    if (auto applied = apply(option, ::optarg, options); !applied) return tl::unexpected(applied.error());
  }
  options.command.assign(argv + ::optind, argv + argc);
  if (options.command.empty()) return tl::unexpected(Refusal{usage(), kMisuse, STDERR_FILENO});
  apply_environment(environment, options);
  return options;
}

}  // namespace slipway::program
