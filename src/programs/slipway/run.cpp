#include "programs/slipway/run.hpp"

#include <algorithm>
#include <climits>
#include <exception>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "config/loader.hpp"
#include "host/descriptor.hpp"
#include "logging/redaction.hpp"
#include "programs/slipway/boot_setup.hpp"
#include "programs/slipway/written_files.hpp"
#include "supervisor/marker_files.hpp"
#include "supervisor/supervisor.hpp"

namespace slipway::program {
namespace {

constexpr int kPatienceMilliseconds = 1000;

/// Lines on standard error before there is a supervisor. A reader that is stuck gets a second, not for ever: a boot
/// that failed must end.
class Complaint {
 public:
  void add(std::string_view line) {
    text_ += "slipway: ";
    text_ += line;
    text_ += '\n';
  }
  ~Complaint() {
    std::string_view rest = text_;
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    while (!rest.empty() && ::poll(&ready, 1, kPatienceMilliseconds) > 0) {
      const ssize_t written = ::write(STDERR_FILENO, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
      if (written <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  Complaint() = default;
  Complaint(const Complaint&) = delete;
  Complaint& operator=(const Complaint&) = delete;

 private:
  std::string text_;
};

void complain(std::string_view line) { Complaint().add(line); }

int refuse(const config::LoadFailure& failure) {
  [[maybe_unused]] const std::vector<Error> kept = supervisor::remove_all_markers(failure.markers);
  Complaint complaint;
  for (const config::Diagnostic& diagnostic : failure.diagnostics) complaint.add(config::to_string(diagnostic));
  const std::size_t count = failure.diagnostics.size();
  const std::string summary = std::to_string(count) + (count == 1 ? " problem" : " problems") + " in the configuration";
  complaint.add(summary + "; nothing was started");
  supervisor::write_early_failure(failure.markers, {summary, ExitCode::kConfiguration});
  return static_cast<int>(ExitCode::kConfiguration);
}

/// Ends a boot that could not begin. Without a configuration there are no markers to write.
int refuse(const Error& error, const std::vector<std::string>& secrets, const config::Markers* markers) {
  const Error shown{logging::Redaction(secrets).apply(error.message), error.code};
  complain(shown.message);
  if (markers != nullptr) supervisor::write_early_failure(*markers, shown);
  return static_cast<int>(shown.code);
}

int boot(const RunOptions& options) {
  config::LoadRequest request;
  request.path = options.config;
  request.environment = config::process_environment();
  tl::expected<config::Loaded, config::LoadFailure> loaded = config::load(request);
  if (!loaded) return refuse(loaded.error());

  if (loaded->source.empty() && options.command.empty()) {
    complain(
        "no configuration found (looked at --config, SLIPWAY_CONFIG, SLIPWAY_CONFIG_JSON_B64, /etc/slipway and the "
        "working directory) and no command given: write a slipway.yaml, or use `slipway run -- COMMAND`");
    return static_cast<int>(ExitCode::kUsage);
  }
  // A marker of an earlier boot must be gone before anything of this one can fail.
  const config::Markers place = loaded->configuration.markers;
  const config::Markers* markers = loaded->source.empty() ? nullptr : &place;
  if (markers != nullptr) {
    for (const Error& error : supervisor::remove_all_markers(*markers)) return refuse(error, loaded->secrets, nullptr);
  }
  if (Result<void> written = write_files(*loaded); !written) return refuse(written.error(), loaded->secrets, markers);

  std::vector<std::string> secrets = loaded->secrets;
  Result<supervisor::Setup> setup = make_setup(std::move(*loaded), options.command, std::move(request));
  if (!setup) return refuse(setup.error(), secrets, markers);
  secrets = setup->secrets;
  supervisor::Supervisor supervisor(std::move(*setup));
  Result<int> code = supervisor.run();
  return code ? *code : refuse(code.error(), secrets, markers);
}

}  // namespace

int run_command(const RunOptions& options) {
  host::fill_standard_descriptors();
  try {
    return boot(options);
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what() + ": nothing is left running");
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace slipway::program
