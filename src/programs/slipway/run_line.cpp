// `slipway run [--config FILE] [-- COMMAND...]`: the options only; run.cpp does the work.
#include "programs/slipway/commands.hpp"

namespace slipway::program {

void add_config_option(CLI::App& command, std::string& config) {
  command.add_option("-c,--config", config, "the configuration; otherwise it is searched for as documented")
      ->type_name("FILE");
}

void add_run(CLI::App& program, Action& chosen, RunOptions& options) {
  CLI::App* run = program.add_subcommand("run", "boot and supervise: the ENTRYPOINT");
  add_config_option(*run, options.config);
  run->footer("slipway run [OPTIONS] -- COMMAND...   runs COMMAND as well; the container ends with its exit code");
  run->callback([&] { chosen = [&] { return run_command(options); }; });
}

}  // namespace slipway::program
