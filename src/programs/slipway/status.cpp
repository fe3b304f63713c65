// `slipway status [--json]`, alias `ps`.
#include <iostream>
#include <memory>
#include <unistd.h>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/status_text.hpp"
#include "programs/slipway/target.hpp"

namespace slipway::program {
namespace {

struct StatusOptions {
  Target target;
  bool json = false;
};

int run_status(const StatusOptions& options) {
  auto client = reach(options.target);
  if (!client) return report_failure("status", client.error());
  const auto snapshot = client->status();
  if (!snapshot) return report_failure("status", snapshot.error());
  std::cout << (options.json ? control::to_line(control::to_json(*snapshot))
                             : status_text(*snapshot, Terminal::of(STDOUT_FILENO)))
            << std::flush;
  return std::cout ? 0 : 1;
}

}  // namespace

void add_status(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* status =
      program.add_subcommand("status", "the units: state, pid, uptime, restarts, last exit, why it waits");
  status->alias("ps");
  add_target_options(*status, options->target);
  status->add_flag("--json", options->json, "for machines");
  status->callback([&chosen, options] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace slipway::program
