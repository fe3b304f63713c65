#include "programs/slipway/boot_setup.hpp"

#include <utility>

#include "database/resolve.hpp"
#include "engine/boot_plan.hpp"
#include "host/markers.hpp"
#include "programs/slipway/db_program.hpp"

namespace slipway::program {
namespace {

config::StringMap built_in_environment(config::StringMap own, const std::string& source, const std::string& boot_id) {
  // A configuration read from a file is read from the same file by every program of this boot.
  if (!source.empty() && source.front() == '/') own["SLIPWAY_CONFIG"] = source;
  own["SLIPWAY_BOOT_ID"] = boot_id;
  return own;
}

}  // namespace

Result<supervisor::Setup> make_setup(config::Loaded loaded, std::vector<std::string> command,
                                     config::StringMap own_environment) {
  supervisor::Setup setup;
  engine::BootInputs inputs{
      loaded.configuration, std::move(command), program_beside("slipway-db"), program_beside("slipway-web"), {}};
  if (loaded.configuration.database.backend != config::Backend::kNone || !loaded.configuration.database.url.empty()) {
    Result<database::ResolvedDatabase> resolved = database::resolve(loaded.configuration);
    if (!resolved) return tl::unexpected<Error>(resolved.error());
    inputs.exports = database::exported_environment(loaded.configuration.database, *resolved);
    for (std::string& text : database::secret_texts(*resolved)) loaded.secrets.push_back(std::move(text));
  }
  Result<engine::Plan> plan = engine::build_plan(inputs);
  if (!plan) return tl::unexpected<Error>(plan.error());
  setup.plan = std::move(*plan);
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
  setup.built_in_environment = built_in_environment(std::move(own_environment), setup.config_source, setup.boot_id);
  return setup;
}

}  // namespace slipway::program
