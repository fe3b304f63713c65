#pragma once
// One function per subcommand, each in its own file: it registers its options and, if it was chosen, leaves in
// `chosen` what there is to do. Nothing runs while the command line is still being read.

#include <CLI/CLI.hpp>
#include <functional>

#include "programs/slipway/run.hpp"

namespace slipway::program {

/// Returns the program's exit code.
using Action = std::function<int()>;

void add_check(CLI::App& program, Action& chosen);
void add_completion(CLI::App& program, Action& chosen);
void add_db(CLI::App& program, Action& chosen);
void add_graph(CLI::App& program, Action& chosen);
void add_health(CLI::App& program, Action& chosen);
/// Hidden: PID 1 runs it.
void add_keep_logs(CLI::App& program, Action& chosen);
void add_logs(CLI::App& program, Action& chosen);
void add_plan(CLI::App& program, Action& chosen);
void add_reload(CLI::App& program, Action& chosen);
void add_run(CLI::App& program, Action& chosen, RunOptions& options);
void add_scale(CLI::App& program, Action& chosen);
void add_schema(CLI::App& program, Action& chosen);
void add_status(CLI::App& program, Action& chosen);
/// start, stop, restart and signal.
void add_unit_verbs(CLI::App& program, Action& chosen);
void add_wait(CLI::App& program, Action& chosen);

/// For PID 1 alone: reads every file of the configuration at `path` (empty: searched for) and tells it on standard
/// output.
[[nodiscard]] int read_configuration(const std::string& path);

/// Options shared by check, plan, graph and run.
void add_config_option(CLI::App& command, std::string& config);

}  // namespace slipway::program
