#include "programs/slipway/target.hpp"

#include <iostream>
#include <sstream>

#include "config/loader.hpp"

namespace slipway::program {

void add_target_options(CLI::App& command, Target& target) {
  command.add_option("--socket", target.socket, "the control socket of the Slipway to talk to")->type_name("PATH");
  command.add_option("-c,--config", target.config, "the configuration that names the control socket")
      ->type_name("FILE");
}

std::string socket_of(const Target& target) {
  if (!target.socket.empty()) return target.socket;
  config::LoadRequest request;
  request.path = target.config;
  request.environment = config::process_environment();
  const auto loaded = config::load(request);
  // A configuration that cannot be read by whoever asks (its secrets, say) still leaves the usual place.
  return loaded ? loaded->configuration.control.socket : config::Control{}.socket;
}

Result<control::Client> reach(const Target& target) { return control::Client::connect(socket_of(target)); }

int report_failure(const std::string& command, const Error& error) {
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) std::cerr << "slipway " << command << ": " << line << '\n';
  return error.code == ExitCode::kPermission ? static_cast<int>(error.code) : 1;
}

}  // namespace slipway::program
