#include "database/postgres/wait.hpp"

#include <algorithm>
#include <thread>

namespace slipway::database::postgres {
namespace {

constexpr auto kSayEvery = std::chrono::seconds(5);
// A server of this machine is up within milliseconds unless it recovers: asking is cheap, waiting too long is not.
constexpr auto kFirstInterval = std::chrono::milliseconds(2);
constexpr auto kImpatience = std::chrono::seconds(1);

/// Only a server of this machine is worth asking every few milliseconds.
bool is_near(const ConnectionParameters& parameters) {
  const auto found = parameters.values.find("host");
  if (found == parameters.values.end()) return true;
  const auto& host = found->second;
  return host.starts_with("/") || host == "localhost" || host == "127.0.0.1" || host == "::1";
}

Result<Connection> ask(Connection connection, Clock::time_point deadline) {
  auto answer = connection.query_until(deadline, "SELECT 1");
  if (!answer) return tl::unexpected(answer.error());
  return connection;
}

std::string seconds(Clock::duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + "s";
}

}  // namespace

Result<Connection> wait_until_ready(const ConnectionParameters& parameters, const config::PostgresWait& wait,
                                    const Report& report) {
  const auto began = Clock::now();
  const auto deadline = began + wait.timeout;
  const auto longest = std::max<config::Duration>(wait.interval, kFirstInterval);
  auto interval = is_near(parameters) ? config::Duration(kFirstInterval) : longest;
  auto say_next = began + kSayEvery;
  std::string earlier;
  for (;;) {
    auto connection = Connection::open(parameters, deadline, report);
    std::string reason;
    if (connection) {
      auto ready = ask(std::move(*connection), deadline);
      if (ready) return ready;
      reason = ready.error().message;  // a server that dies between the two is one that is not ready
    } else {
      if (!connection.error().retryable) return tl::unexpected(connection.error().error);
      reason = connection.error().error.message;
    }
    const auto now = Clock::now();
    // An attempt that our own deadline cut short says less than the one before it.
    if (now >= deadline && !earlier.empty()) reason = earlier;
    earlier = reason;
    if (now + interval >= deadline) {
      return failure(ExitCode::kDatabaseUnavailable, reason + ": gave up after " + seconds(wait.timeout) +
                                                         ": start the server, correct host and port, " +
                                                         "or raise database.postgres.wait.timeout");
    }
    if (now >= say_next) {
      say(report, "waiting for the database since " + seconds(now - began) + ": " + reason);
      say_next = now + kSayEvery;
    }
    std::this_thread::sleep_for(interval);
    if (now - began > kImpatience) interval = std::min<config::Duration>(interval + interval / 2, longest);
  }
}

}  // namespace slipway::database::postgres
