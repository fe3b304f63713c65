#include "programs/slipway/written_files.hpp"

#include "config/environment_files.hpp"

namespace slipway::program {

Result<void> write_files(const config::Loaded& loaded) {
  const config::Configuration& configuration = loaded.configuration;
  if (!configuration.environment_output.empty()) {
    Result<void> written =
        config::write_environment_output(configuration.environment_output, loaded.source_environment);
    if (!written) return written;
  }
  return config::render_templates(configuration.templates, loaded.environment);
}

}  // namespace slipway::program
