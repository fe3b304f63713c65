// `slipway logs [-f] [-n N] [UNIT...]`: recent output of the workers and of Slipway itself.
#include <iostream>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/target.hpp"

namespace slipway::program {
namespace {

struct LogsOptions {
  Target target;
  std::vector<std::string> units;
  std::size_t lines = 100;
  bool follow = false;
  bool json = false;
};

std::string text_of(const boost::json::object& object, const char* key) {
  const boost::json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

void print(const boost::json::object& line, bool json) {
  if (json) {
    std::cout << control::to_line(line);
    return;
  }
  std::cout << text_of(line, "time") << ' ' << text_of(line, "unit") << " | " << text_of(line, "text") << '\n';
}

void print_lines(const boost::json::object& message, bool json) {
  const boost::json::value* lines = message.if_contains("lines");
  if (lines == nullptr || !lines->is_array()) return;
  for (const boost::json::value& line : lines->get_array()) {
    if (line.is_object()) print(line.get_object(), json);
  }
}

void say_uncaptured(const boost::json::object& reply) {
  const boost::json::value* units = reply.if_contains("uncaptured");
  if (units == nullptr || !units->is_array()) return;
  for (const boost::json::value& unit : units->get_array()) {
    if (!unit.is_string()) continue;
    std::cerr
        << "slipway logs: " << unit.get_string().c_str()
        << ": nothing is kept: it writes to the container's own output (logging: {format: raw}, or `run -- CMD`)\n";
  }
}

/// False when the reader of our output has gone.
bool print_followed(const boost::json::object& message, bool json) {
  print_lines(message, json);
  if (const auto* line = message.if_contains("line"); line != nullptr && line->is_object()) {
    print(line->get_object(), json);
  } else if (const auto* lost = message.if_contains("lost_lines"); lost != nullptr) {
    std::cout << std::flush;
    std::cerr << "slipway logs: " << *lost << " lines came faster than they were read and are not shown\n";
  }
  return static_cast<bool>(std::cout << std::flush);
}

int run_logs(const LogsOptions& options) {
  auto client = reach(options.target);
  if (!client) return report_failure("logs", client.error());
  control::Request request;
  request.operation = control::Operation::kLogs;
  request.units = options.units;
  request.lines = options.lines;
  request.follow = options.follow;
  const auto reply = client->call(request, std::chrono::seconds(10));
  if (!reply) return report_failure("logs", reply.error());
  say_uncaptured(*reply);
  if (!print_followed(*reply, options.json)) return 1;
  for (bool more = reply->contains("more"); more || options.follow;) {
    const auto message = client->next(std::nullopt);
    if (!message) return client->ended() ? 0 : report_failure("logs", message.error());
    if (!print_followed(*message, options.json)) return 1;
    more = message->contains("more");
  }
  return 0;
}

}  // namespace

void add_logs(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<LogsOptions>();
  CLI::App* logs = program.add_subcommand("logs", "recent output of units, or of all of them");
  add_target_options(*logs, options->target);
  logs->add_flag("-f,--follow", options->follow, "go on until interrupted");
  logs->add_option("-n,--lines", options->lines, "how many lines to begin with (100)")
      ->type_name("N")
      ->check(CLI::Range(0, 100000));
  logs->add_flag("--json", options->json, "one object per line");
  logs->add_option("units", options->units, "web is every replica, web[1] is one")->type_name("UNIT...");
  logs->callback([&chosen, options] { chosen = [options] { return run_logs(*options); }; });
}

}  // namespace slipway::program
