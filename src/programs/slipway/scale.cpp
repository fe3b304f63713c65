// `slipway scale WORKER=N`: another number of replicas, until the next reload.
#include <charconv>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/replan.hpp"

namespace slipway::program {
namespace {

struct ScaleOptions : ReplanOptions {
  std::vector<std::string> wanted;
};

Result<control::Request> parse(const std::string& wanted) {
  control::Request request;
  request.operation = control::Operation::kScale;
  const std::size_t equals = wanted.find('=');
  const std::string number = equals == std::string::npos ? "" : wanted.substr(equals + 1);
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), request.replicas);
  if (equals == 0 || number.empty() || parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) {
    return failure(ExitCode::kUsage, wanted + ": say which worker and how many, as in web=4");
  }
  request.worker = wanted.substr(0, equals);
  return request;
}

int scale(const ScaleOptions& options) {
  std::vector<control::Request> requests;
  for (const std::string& wanted : options.wanted) {
    Result<control::Request> request = parse(wanted);
    if (!request) return report_failure("scale", request.error()), static_cast<int>(ExitCode::kUsage);
    requests.push_back(std::move(*request));
  }
  for (control::Request& request : requests) {
    const int code = replan("scale", std::move(request), options);
    if (code != 0) return code;
  }
  return 0;
}

}  // namespace

void add_scale(CLI::App& program, Action& chosen) {
  auto options = std::make_shared<ScaleOptions>();
  CLI::App* command =
      program.add_subcommand("scale", "run another number of a worker's replicas, until the next reload");
  add_replan_options(*command, *options);
  command->add_option("workers", options->wanted, "web=4")->required()->type_name("WORKER=N...");
  command->callback([&chosen, options] { chosen = [options] { return scale(*options); }; });
}

}  // namespace slipway::program
