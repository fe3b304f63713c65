// `slipway wait [--for ready|migrated|stopped] [--timeout]`: for scripts.
#include <map>
#include <memory>
#include <poll.h>
#include <unistd.h>

#include "config/notation.hpp"
#include "programs/slipway/commands.hpp"
#include "programs/slipway/target.hpp"

namespace slipway::program {
namespace {

using std::chrono::steady_clock;

/// For how long a Slipway that is not there may still be coming up, when no timeout was given.
constexpr std::chrono::seconds kUsualPatience{10};
constexpr std::chrono::milliseconds kBetweenAttempts{20};

struct WaitOptions {
  Target target;
  std::string milestone = "ready";
  std::string timeout;
};

struct Waiter {
  const WaitOptions& options;
  control::Milestone milestone;
  std::optional<steady_clock::time_point> deadline;

  [[nodiscard]] control::Patience left() const {
    if (!deadline) return std::nullopt;
    const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - steady_clock::now());
    return std::max(rest, std::chrono::milliseconds(0));
  }
  [[nodiscard]] Result<control::Client> reach_in_time() const;
  [[nodiscard]] int wait() const;
  [[nodiscard]] int too_late() const;
};

int Waiter::too_late() const {
  std::string message = "not " + options.milestone + " after " + options.timeout;
  auto client = reach(options.target);
  const auto snapshot = client ? client->status() : tl::unexpected(client.error());
  if (snapshot && milestone == control::Milestone::kReady) message += ": " + control::why_not_ready(*snapshot);
  return report_failure("wait", Error{message, ExitCode::kInternal});
}

/// A script may ask before PID 1 has made its socket.
Result<control::Client> Waiter::reach_in_time() const {
  const auto until = deadline.value_or(steady_clock::now() + kUsualPatience);
  for (;;) {
    auto client = reach(options.target);
    const bool absent = !client && client.error().code == ExitCode::kInternal;
    if (!absent || milestone == control::Milestone::kStopped || steady_clock::now() >= until) return client;
    ::poll(nullptr, 0, static_cast<int>(kBetweenAttempts.count()));
  }
}

int Waiter::wait() const {
  auto client = reach_in_time();
  if (!client) {
    const bool denied = client.error().code == ExitCode::kPermission;
    if (milestone == control::Milestone::kStopped && !denied) return 0;
    return report_failure("wait", client.error());
  }
  control::Request request;
  request.operation = control::Operation::kWait;
  request.milestone = milestone;
  const auto reply = client->call(request, left());
  if (reply) return 0;
  if (client->ended() && milestone == control::Milestone::kStopped) return 0;
  if (client->timed_out()) return too_late();
  if (client->ended()) {
    return report_failure("wait", Error{"Slipway stopped before it was " + options.milestone, ExitCode::kInternal});
  }
  return report_failure("wait", reply.error());
}

int run_wait(const WaitOptions& options) {
  Waiter waiter{options, control::Milestone::kReady, std::nullopt};
  for (const auto each : {control::Milestone::kMigrated, control::Milestone::kStopped}) {
    if (options.milestone == control::to_string(each)) waiter.milestone = each;
  }
  if (!options.timeout.empty()) {
    const auto timeout = config::parse_duration(options.timeout);
    if (!timeout) return report_failure("wait", timeout.error()), static_cast<int>(ExitCode::kUsage);
    waiter.deadline = steady_clock::now() + *timeout;
  }
  return waiter.wait();
}

}  // namespace

void add_wait(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<WaitOptions>();
  CLI::App* wait = program.add_subcommand("wait", "wait until the container is ready, migrated or stopped");
  add_target_options(*wait, options->target);
  wait->add_option("--for", options->milestone, "ready (the default), migrated or stopped")
      ->type_name("STATE")
      ->check(CLI::IsMember({"ready", "migrated", "stopped"}));
  wait->add_option("--timeout", options->timeout, "give up after this long, e.g. 2m")->type_name("DURATION");
  wait->callback([&chosen, options] { chosen = [options] { return run_wait(*options); }; });
}

}  // namespace slipway::program
