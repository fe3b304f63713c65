// `slipway start|stop|restart UNIT...` and `slipway signal SIGNAL UNIT...`.
#include <iostream>
#include <memory>

#include "config/notation.hpp"
#include "programs/slipway/commands.hpp"
#include "programs/slipway/target.hpp"

namespace slipway::program {
namespace {

struct VerbOptions {
  Target target;
  std::vector<std::string> units;
  std::string signal;
  std::string timeout;
  bool no_wait = false;
};

/// Why it has not happened yet, unit by unit, from a fresh connection: the old one still waits.
std::string still_under_way(const VerbOptions& options) {
  auto client = reach(options.target);
  const auto snapshot = client ? client->status() : tl::unexpected(client.error());
  if (!snapshot) return {};
  std::string text;
  for (const control::UnitStatus& unit : snapshot->units) {
    for (const std::string& wanted : options.units) {
      if (wanted != unit.name && wanted != unit.worker) continue;
      text += "\n" + unit.name + " is " + unit.state + (unit.reason.empty() ? "" : ": " + unit.reason);
      break;
    }
  }
  return text;
}

int act(control::Verb verb, const VerbOptions& options) {
  const std::string name = control::to_string(verb);
  control::Request request;
  request.operation = control::Operation::kAct;
  request.verb = verb;
  request.units = options.units;
  request.wait = !options.no_wait;
  if (!options.signal.empty()) {
    const auto signal = config::parse_signal(options.signal);
    if (!signal) return report_failure(name, signal.error()), static_cast<int>(ExitCode::kUsage);
    request.signal = signal->number;
  }
  control::Patience patience;
  if (!options.timeout.empty()) {
    const auto timeout = config::parse_duration(options.timeout);
    if (!timeout) return report_failure(name, timeout.error()), static_cast<int>(ExitCode::kUsage);
    patience = *timeout;
  }
  auto client = reach(options.target);
  if (!client) return report_failure(name, client.error());
  const auto reply = client->call(request, patience);
  if (reply) return 0;
  Error error = reply.error();
  if (client->timed_out()) error.message = "not done after " + options.timeout + still_under_way(options);
  return report_failure(name, error);
}

CLI::App* add_verb(CLI::App& program, Action& chosen, control::Verb verb, const char* help) {
  auto options = std::make_shared<VerbOptions>();
  CLI::App* command = program.add_subcommand(control::to_string(verb), help);
  add_target_options(*command, options->target);
  if (verb == control::Verb::kSignal) {
    command->add_option("signal", options->signal, "HUP, SIGHUP or 1")->required()->type_name("SIGNAL");
  } else {
    command->add_option("--timeout", options->timeout, "give up waiting after this long, e.g. 30s")
        ->type_name("DURATION");
    command->add_flag("--no-wait", options->no_wait, "return once it is accepted");
  }
  command->add_option("units", options->units, "web is every replica, web[1] is one")->required()->type_name("UNIT...");
  command->callback([&chosen, options, verb] { chosen = [options, verb] { return act(verb, *options); }; });
  return command;
}

}  // namespace

void add_unit_verbs(CLI::App& program, Action& chosen) {
  add_verb(program, chosen, control::Verb::kStart, "start units and wait until they are up");
  add_verb(program, chosen, control::Verb::kStop, "stop units and wait until they have ended");
  add_verb(program, chosen, control::Verb::kRestart, "stop units, start them again, wait until they are up");
  add_verb(program, chosen, control::Verb::kSignal, "send a signal to units");
}

}  // namespace slipway::program
