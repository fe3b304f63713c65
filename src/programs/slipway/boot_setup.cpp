#include "programs/slipway/boot_setup.hpp"

#include <utility>

#include "database/resolve.hpp"
#include "host/markers.hpp"
#include "programs/slipway/db_program.hpp"
#include "supervisor/launch_inputs.hpp"

namespace slipway::program {
namespace {

config::StringMap built_in_environment(config::StringMap own, const std::string& source, const std::string& boot_id) {
  // A configuration read from a file is read from the same file by every program of this boot.
  if (!source.empty() && source.front() == '/') own["SLIPWAY_CONFIG"] = source;
  own["SLIPWAY_BOOT_ID"] = boot_id;
  return own;
}

Result<supervisor::DatabaseExports> exports_of(const config::Configuration& configuration) {
  Result<database::ResolvedDatabase> resolved = database::resolve(configuration);
  if (!resolved) return tl::unexpected<Error>(resolved.error());
  return supervisor::DatabaseExports{database::exported_environment(configuration.database, *resolved),
                                     database::secret_texts(*resolved)};
}

}  // namespace

Result<supervisor::Setup> make_setup(config::Loaded loaded, std::vector<std::string> command,
                                     config::LoadRequest request) {
  supervisor::Setup setup;
  setup.main_command = std::move(command);
  setup.database_program = program_beside("slipway-db");
  setup.web_program = program_beside("slipway-web");
  setup.exports_of = &exports_of;
  setup.launch_inputs = supervisor::read_launch_inputs(loaded, request.read_file);
  if (loaded.configuration.database.backend != config::Backend::kNone || !loaded.configuration.database.url.empty()) {
    Result<supervisor::DatabaseExports> exports = exports_of(loaded.configuration);
    if (!exports) return tl::unexpected<Error>(exports.error());
    setup.exports = std::move(exports->variables);
    for (std::string& text : exports->secrets) loaded.secrets.push_back(std::move(text));
  }
  // A plain init adds nothing to what its command prints, unless something is wrong.
  if (loaded.source.empty() && loaded.configuration.logging == config::Logging{}) {
    loaded.configuration.logging.level = config::LogLevel::kWarning;
  }
  setup.configuration = std::move(loaded.configuration);
  setup.environment = std::move(loaded.environment);
  setup.secrets = std::move(loaded.secrets);
  setup.config_source = std::move(loaded.source);
  setup.config_sha256 = std::move(loaded.sha256);
  setup.boot_id = host::make_boot_id();
  setup.built_in_environment = built_in_environment(request.environment, setup.config_source, setup.boot_id);
  setup.request = std::move(request);
  Result<engine::Plan> plan = supervisor::build_plan(setup);
  if (!plan) return tl::unexpected<Error>(plan.error());
  setup.plan = std::move(*plan);
  return setup;
}

}  // namespace slipway::program
