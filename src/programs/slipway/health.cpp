// `slipway health`: Docker's HEALTHCHECK. Exit 0 when ready, else 1 and one line why.
#include <iostream>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/target.hpp"
#include "programs/slipway/terminal.hpp"

namespace slipway::program {
namespace {

int unhealthy(const std::string& why) {
  std::cout << "not ready: " << printable(why) << std::endl;
  return 1;
}

int run_health(const Target& target) {
  auto client = reach(target);
  if (!client) return unhealthy(client.error().message);
  control::Request request;
  request.operation = control::Operation::kHealth;
  const auto reply = client->call(request, std::chrono::seconds(5));
  if (!reply) return unhealthy(reply.error().message);
  const boost::json::value* ready = reply->if_contains("ready");
  if (ready != nullptr && ready->is_bool() && ready->get_bool()) {
    std::cout << "ready" << std::endl;
    return 0;
  }
  const boost::json::value* why = reply->if_contains("why");
  return unhealthy(why != nullptr && why->is_string() ? std::string(why->get_string()) : "no reason given");
}

}  // namespace

void add_health(CLI::App& program, Action& chosen) {
  auto target = std::make_shared<Target>();
  CLI::App* health = program.add_subcommand("health", "exit 0 if the container is ready, else 1 (for HEALTHCHECK)");
  add_target_options(*health, *target);
  health->callback([&chosen, target] { chosen = [target] { return run_health(*target); }; });
}

}  // namespace slipway::program
