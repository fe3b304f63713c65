#include "programs/slipway/inspection.hpp"

#include <iostream>

#include "database/resolve.hpp"
#include "engine/boot_plan.hpp"
#include "logging/redaction.hpp"
#include "programs/slipway/db_program.hpp"

namespace slipway::program {
namespace {

constexpr const char* kNothingFound =
    "no configuration found: name one with --config or $SLIPWAY_CONFIG, or write slipway.yaml in /etc/slipway or here";

Error joined(const config::LoadFailure& failed) {
  Error error{"", ExitCode::kConfiguration};
  for (const config::Diagnostic& diagnostic : failed.diagnostics) {
    error.message += (error.message.empty() ? "" : "\n") + config::to_string(diagnostic);
  }
  return error;
}

tl::unexpected<Error> redacted(Error error, const std::vector<std::string>& secrets) {
  error.message = logging::Redaction(secrets).apply(error.message);
  return tl::unexpected(std::move(error));
}

}  // namespace

Result<Inspection> inspect(const std::string& config) {
  config::LoadRequest request;
  request.path = config;
  request.environment = config::process_environment();
  auto loaded = config::load(request);
  if (!loaded) return tl::unexpected(joined(loaded.error()));
  if (loaded->source.empty()) return failure(ExitCode::kConfiguration, kNothingFound);
  Inspection inspection;
  inspection.configuration = std::move(loaded->configuration);
  inspection.source = std::move(loaded->source);
  inspection.secrets = std::move(loaded->secrets);
  const auto resolved = database::resolve(inspection.configuration, database::ResolveMode::kInspect);
  if (!resolved) return redacted(resolved.error(), inspection.secrets);
  for (std::string& text : database::secret_texts(*resolved)) inspection.secrets.push_back(std::move(text));
  const engine::BootInputs inputs{inspection.configuration,
                                  {},
                                  program_beside("slipway-db"),
                                  program_beside("slipway-web"),
                                  database::exported_environment(inspection.configuration.database, *resolved)};
  auto plan = engine::build_plan(inputs);
  if (!plan) return redacted(plan.error(), inspection.secrets);
  inspection.plan = std::move(*plan);
  return inspection;
}

int report_problems(const Error& error) {
  std::cerr << error.message << '\n';
  return static_cast<int>(error.code);
}

}  // namespace slipway::program
