#include "programs/slipway/command_line.hpp"

#include <iostream>
#include <string_view>

#include "config/exit_code.hpp"
#include "host/signals.hpp"
#include "programs/slipway/commands.hpp"
#include "programs/slipway/db_program.hpp"
#include "version.hpp"

namespace slipway::program {
namespace {

constexpr int kUsage = static_cast<int>(ExitCode::kUsage);
constexpr const char* kDescription =
    "Slipway brings the database up, migrates it, and only then launches the workers, which it supervises until the "
    "container stops.";

int complain(const CLI::App& program, const CLI::ParseError& error, const std::string& command) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return program.exit(error);
  const std::string name = command.empty() ? "slipway" : "slipway " + command;
  std::cerr << name << ": " << error.what() << ": ";
  if (command == "run" && error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError)) {
    std::cerr << "a command to run follows `--`: slipway run -- COMMAND\n";
  } else {
    std::cerr << '`' << name << " --help` lists what is possible\n";
  }
  return kUsage;
}

/// The subcommand's own name if it is one, for hints.
std::string chosen_command(const CLI::App& program) {
  const auto chosen = program.get_subcommands();
  return chosen.empty() ? std::string() : chosen.front()->get_name();
}

bool is_command(const CLI::App& program, const std::string& word) {
  return !program.get_subcommands([&](const CLI::App* command) { return command->check_name(word); }).empty();
}

int parse(CLI::App& program, const std::vector<std::string>& words, const Action& chosen) {
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 wants a vector
    program.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return complain(program, error, chosen_command(program));
  }
  return chosen ? chosen() : 0;
}

void prepare(CLI::App& program) {
  program.name("slipway");
  program.set_version_flag("--version", std::string("slipway ") + kVersion);
  program.require_subcommand(1);
}

int parse_run(const std::vector<std::string>& words, std::vector<std::string> command) {
  RunOptions options;
  options.command = std::move(command);
  Action chosen;
  CLI::App program(kDescription);
  prepare(program);
  add_run(program, chosen, options);
  return parse(program, words, chosen);
}

int parse_all(const std::vector<std::string>& words) {
  RunOptions options;
  Action chosen;
  CLI::App program(kDescription);
  prepare(program);
  add_run(program, chosen, options);
  add_check(program, chosen);
  add_plan(program, chosen);
  add_graph(program, chosen);
  add_status(program, chosen);
  add_logs(program, chosen);
  add_keep_logs(program, chosen);
  add_unit_verbs(program, chosen);
  add_reload(program, chosen);
  add_scale(program, chosen);
  add_wait(program, chosen);
  add_health(program, chosen);
  add_db(program, chosen);
  add_schema(program, chosen);
  add_completion(program, chosen);
  if (words.empty()) {
    std::cerr << program.help();
    return kUsage;
  }
  const bool option = words.front().starts_with("-");
  if (!option && !is_command(program, words.front())) {
    std::cerr << "slipway: " << words.front() << ": no such command: `slipway --help` lists them\n";
    return kUsage;
  }
  return parse(program, words, chosen);
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  std::vector<std::string> words;
  std::vector<std::string> command;  // what follows the first `--` is never ours to interpret
  const std::string_view first = argc > 1 ? argv[1] : "";
  // Before anything else: what PID 1 is sent until then is lost.
  if (first == "run") host::Signals::hold();
  if (first == "read-configuration") return read_configuration(argc > 2 ? argv[2] : "");
  if (first == "db") return run_database_program(argc - 2, argv + 2);
  for (int i = 1; i < argc; ++i) {
    if (first == "run" && std::string_view(argv[i]) == "--") {
      // Nothing after it is fine: an image's ENTRYPOINT ends with `--` whether or not there is a CMD.
      command.assign(argv + i + 1, argv + argc);
      break;
    }
    words.emplace_back(argv[i]);
  }
  return first == "run" ? parse_run(words, std::move(command)) : parse_all(words);
}

}  // namespace slipway::program
