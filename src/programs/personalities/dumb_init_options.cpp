#include "programs/personalities/dumb_init_options.hpp"

#include <charconv>
#include <csignal>
#include <getopt.h>
#include <string_view>

#include "version.hpp"

namespace slipway::program {
namespace {

constexpr int kMisuse = 1;
constexpr const char* kOwnUsage = "Usage: dumb-init [OPTIONS] PROGRAM [ARGS...]\n";

std::string version() { return std::string("dumb-init (slipway ") + kVersion + ")\n"; }

std::string usage() {
  return version() + kOwnUsage + R"(
Runs PROGRAM in a session of its own, forwards signals to all of it, reaps orphans and ends with its exit code.

  -c, --single-child  no session: forward signals to the program alone
  -r, --rewrite S:R   forward signal number R when S is received, nothing when R is 0; may be repeated
  -v, --verbose       say on standard error what is done
  -h, --help          show this help
  -V, --version       show the version

Environment: DUMB_INIT_DEBUG=1 is -v, DUMB_INIT_SETSID=0 is -c.
)";
}

bool parse_number(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return !text.empty() && error == std::errc() && end == text.data() + text.size();
}

bool add_rewrite(std::string_view text, std::array<int, kDumbInitSignals + 1>& rewrites) {
  const std::size_t colon = text.find(':');
  int from = 0;
  int to = 0;
  if (colon == std::string_view::npos || !parse_number(text.substr(0, colon), from) ||
      !parse_number(text.substr(colon + 1), to))
    return false;
  if (from < 1 || from > kDumbInitSignals || to < 0 || to > kDumbInitSignals) return false;
  rewrites[static_cast<std::size_t>(from)] = to;
  return true;
}

tl::expected<void, Refusal> apply(int option, const char* value, DumbInitOptions& options) {
  switch (option) {
    case 'h':
      return tl::unexpected(Refusal{usage(), 0, STDERR_FILENO});
    case 'V':
      return tl::unexpected(Refusal{version(), 0, STDERR_FILENO});
    case 'v':
      options.debug = true;
      return {};
    case 'c':
      options.own_session = false;
      return {};
    case 'r':
      if (add_rewrite(value, options.rewrites)) return {};
      return tl::unexpected(Refusal{std::string("dumb-init: -r: ") + value +
                                        " is not valid: expected two signal numbers such as 15:3, " +
                                        "from 1 to 31 and from 0 to 31\n",
                                    kMisuse, STDERR_FILENO});
    default:
      return tl::unexpected(Refusal{{}, kMisuse, STDERR_FILENO});
  }
}

bool is(const config::StringMap& environment, const char* name, std::string_view value) {
  const auto found = environment.find(name);
  return found != environment.end() && found->second == value;
}

}  // namespace

tl::expected<DumbInitOptions, Refusal> parse_dumb_init(int argc, char** argv, const config::StringMap& environment) {
  constexpr std::array<option, 6> kLong{{{"help", no_argument, nullptr, 'h'},
                                         {"single-child", no_argument, nullptr, 'c'},
                                         {"rewrite", required_argument, nullptr, 'r'},
                                         {"verbose", no_argument, nullptr, 'v'},
                                         {"version", no_argument, nullptr, 'V'},
                                         {nullptr, 0, nullptr, 0}}};
  DumbInitOptions options;
  options.rewrites.fill(-1);
  ::optind = 0;  // from the start, whoever used getopt(3) before
  for (int found = 0; (found = ::getopt_long(argc, argv, "+hvVcr:", kLong.data(), nullptr)) != -1;) {
    if (auto applied = apply(found, ::optarg, options); !applied) return tl::unexpected(applied.error());
  }
  options.command.assign(argv + ::optind, argv + argc);
  if (options.command.empty())
    return tl::unexpected(
        Refusal{std::string(kOwnUsage) + "`dumb-init --help` lists the options\n", kMisuse, STDERR_FILENO});
  options.debug = options.debug || is(environment, "DUMB_INIT_DEBUG", "1");
  options.own_session = options.own_session && !is(environment, "DUMB_INIT_SETSID", "0");
  for (int signal = 1; signal <= kDumbInitSignals; ++signal) {
    int& rewrite = options.rewrites[static_cast<std::size_t>(signal)];
    if (rewrite >= 0) continue;
    // A group without its session's terminal is orphaned: the kernel would not stop it by these three.
    const bool terminal = signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
    rewrite = options.own_session && terminal ? SIGSTOP : signal;
  }
  return options;
}

}  // namespace slipway::program
