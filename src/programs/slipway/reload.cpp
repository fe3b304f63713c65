// `slipway reload`: the container reads its configuration again; `slipway reload UNIT...`: units read theirs.
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/replan.hpp"

namespace slipway::program {
namespace {

struct ReloadOptions : ReplanOptions {
  std::vector<std::string> units;
  bool dry_run = false;
};

int signal_units(const ReloadOptions& options) {
  control::Request request;
  request.operation = control::Operation::kAct;
  request.verb = control::Verb::kReload;
  request.units = options.units;
  auto client = reach(options.target);
  if (!client) return report_failure("reload", client.error());
  const auto reply = client->call(request, std::nullopt);
  return reply ? 0 : report_failure("reload", reply.error());
}

int reload(const ReloadOptions& options) {
  if (!options.units.empty()) return signal_units(options);
  control::Request request;
  request.operation = control::Operation::kReload;
  request.dry_run = options.dry_run;
  return replan("reload", std::move(request), options);
}

}  // namespace

void add_reload(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<ReloadOptions>();
  CLI::App* command = program.add_subcommand(
      "reload", "read the configuration again and apply what differs; with units, send them their reload_signal");
  add_replan_options(*command, *options);
  command->add_flag("--dry-run", options->dry_run, "only say what would change");
  command->add_option("units", options->units, "web is every replica, web[1] is one")->type_name("UNIT...");
  command->callback([&chosen, options] { chosen = [options] { return reload(*options); }; });
}

}  // namespace slipway::program
