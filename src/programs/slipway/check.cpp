// `slipway check`: every problem of the configuration in one run; starts nothing, writes nothing.
#include <iostream>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/inspection.hpp"

namespace slipway::program {
namespace {

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

const char* describe_database(const config::Database& database) {
  switch (database.backend) {
    case config::Backend::kSqlite:
      return "SQLite";
    case config::Backend::kPostgres:
      return database.postgres.local ? "PostgreSQL in this container" : "an external PostgreSQL server";
    case config::Backend::kNone:
      break;
  }
  return "no database";
}

int run_check(const std::string& config) {
  const auto inspection = inspect(config);
  if (!inspection) return report_problems(inspection.error());
  const config::Configuration& configuration = inspection->configuration;
  const char* migrations = config::has_migrations(configuration.migrations) ? ", migrations" : "";
  std::cout << "OK: " << inspection->source << ": " << counted(configuration.workers.size(), "worker") << ", "
            << counted(inspection->plan.units.size(), "unit") << ", " << describe_database(configuration.database)
            << migrations << std::endl;
  return 0;
}

}  // namespace

void add_check(CLI::App& program, Action& chosen) {
  auto config = std::make_shared<std::string>();
  CLI::App* check =
      program.add_subcommand("check", "report every problem of the configuration; exit 78 if there is one");
  add_config_option(*check, *config);
  check->callback([&chosen, config] { chosen = [config] { return run_check(*config); }; });
}

}  // namespace slipway::program
