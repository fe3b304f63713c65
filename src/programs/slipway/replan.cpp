#include "programs/slipway/replan.hpp"

#include <iostream>

#include "config/notation.hpp"
#include "programs/slipway/terminal.hpp"

namespace slipway::program {
namespace {

namespace json = boost::json;

std::string text_of(const json::value& value) {
  const json::string* text = value.if_string();
  return text != nullptr ? printable(std::string(*text)) : std::string();
}

std::string line_of(const json::object& change) {
  std::string why;
  for (const json::value& word : change.at("why").as_array()) why += (why.empty() ? "" : ", ") + text_of(word);
  return text_of(change.at("name")) + ": " + text_of(change.at("action")) + (why.empty() ? "" : " (" + why + ")");
}

void print(const json::object& reply, bool dry_run) {
  const json::value* changes = reply.if_contains("changes");
  if (changes == nullptr || !changes->is_array() || changes->get_array().empty()) {
    std::cout << (dry_run ? "nothing would change" : "nothing changed") << '\n';
    return;
  }
  for (const json::value& change : changes->get_array()) std::cout << line_of(change.as_object()) << '\n';
}

}  // namespace

void add_replan_options(CLI::App& command, ReplanOptions& options) {
  add_target_options(command, options.target);
  command.add_option("--timeout", options.timeout, "give up waiting after this long, e.g. 30s")->type_name("DURATION");
  command.add_flag("--no-wait", options.no_wait, "do not wait until what starts is up");
  command.add_flag("--json", options.json, "the changes as JSON");
}

int replan(const std::string& command, control::Request request, const ReplanOptions& options) {
  request.wait = !options.no_wait;
  control::Patience patience;
  if (!options.timeout.empty()) {
    const auto timeout = config::parse_duration(options.timeout);
    if (!timeout) return report_failure(command, timeout.error()), static_cast<int>(ExitCode::kUsage);
    patience = *timeout;
  }
  auto client = reach(options.target);
  if (!client) return report_failure(command, client.error());
  const auto reply = client->call(request, patience);
  if (!reply) {
    Error error = reply.error();
    if (client->timed_out())
      error.message = "not done after " + options.timeout + ": `slipway status` says what is left";
    return report_failure(command, error);
  }
  if (options.json) {
    std::cout << json::serialize(*reply) << std::endl;
  } else {
    print(*reply, request.dry_run);
  }
  return 0;
}

}  // namespace slipway::program
