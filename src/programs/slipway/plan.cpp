// `slipway plan [--json]`: the boot without running it.
#include <iostream>
#include <memory>
#include <unistd.h>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/inspection.hpp"
#include "programs/slipway/plan_text.hpp"

namespace slipway::program {
namespace {

struct PlanOptions {
  std::string config;
  bool json = false;
};

int run_plan(const PlanOptions& options) {
  const auto inspection = inspect(options.config);
  if (!inspection) return report_problems(inspection.error());
  std::cout << (options.json ? plan_json(*inspection) : plan_text(*inspection, Terminal::of(STDOUT_FILENO)))
            << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace

void add_plan(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* plan = program.add_subcommand("plan", "print the boot in order, without running it");
  add_config_option(*plan, options->config);
  plan->add_flag("--json", options->json, "for machines");
  plan->callback([&chosen, options] { chosen = [options] { return run_plan(*options); }; });
}

}  // namespace slipway::program
