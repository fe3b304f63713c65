// `slipway graph [--format dot|mermaid]`: the boot as a picture's source.
#include <iostream>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/inspection.hpp"
#include "programs/slipway/plan_text.hpp"

namespace slipway::program {
namespace {

struct GraphOptions {
  std::string config;
  std::string format = "dot";
};

int run_graph(const GraphOptions& options) {
  const auto inspection = inspect(options.config);
  if (!inspection) return report_problems(inspection.error());
  std::cout << graph_text(*inspection, options.format == "dot" ? GraphFormat::kDot : GraphFormat::kMermaid)
            << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace

void add_graph(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<GraphOptions>();
  CLI::App* graph = program.add_subcommand("graph", "the boot for Graphviz or Mermaid");
  add_config_option(*graph, options->config);
  graph->add_option("--format", options->format, "dot (the default) or mermaid")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"dot", "mermaid"}));
  graph->callback([&chosen, options] { chosen = [options] { return run_graph(*options); }; });
}

}  // namespace slipway::program
