#include <cstdio>
#include <string_view>

#include "config/exit_code.hpp"
#include "programs/slipway-web/stages.hpp"
#include "version.hpp"

namespace slipway::program {
namespace {

constexpr const char* kHelp =
    "usage: slipway-web [--config FILE] [--socket PATH]\n"
    "Answers /livez, /readyz, /status and /metrics at http.listen. `slipway run` starts it when http is configured.\n";

int usage(std::string_view word) {
  std::fprintf(stderr, "slipway-web: unexpected '%.*s'\n%s", static_cast<int>(word.size()), word.data(), kHelp);
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int web_program(int argc, const char* const* argv) {
  std::string config;
  std::string socket;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool more = i + 1 < argc;
    if (word == "--serve" && argc == 2) return serve();
    if (word == "--help") return std::fputs(kHelp, stdout) < 0 ? 1 : 0;
    if (word == "--version") return std::printf("slipway-web %s\n", kVersion) < 0 ? 1 : 0;
    if (word == "--config" && more) {
      config = argv[++i];
    } else if (word == "--socket" && more) {
      socket = argv[++i];
    } else {
      return usage(word);
    }
  }
  return prepare(config, socket);
}

}  // namespace slipway::program
