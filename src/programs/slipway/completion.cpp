// `slipway completion bash|zsh|fish`: scripts made from the same registrations that parse the command line.
#include <iostream>
#include <memory>

#include "programs/slipway/commands.hpp"
#include "programs/slipway/completion_text.hpp"

namespace slipway::program {

void add_completion(CLI::App& program, Action& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion = program.add_subcommand("completion", "a completion script for bash, zsh or fish");
  completion->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion->callback([&chosen, &program, shell] {
    chosen = [&program, shell] {
      std::vector<CompletionCommand> commands;
      for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
        if (command->get_group().empty()) continue;  // hidden
        CompletionCommand each{command->get_name(), command->get_description(), {}, false};
        for (const CLI::Option* option : command->get_options()) {
          if (option->get_positional()) each.takes_units = each.takes_units || option->get_name(true) == "units";
          for (const std::string& name : option->get_lnames()) each.options.push_back("--" + name);
        }
        commands.push_back(std::move(each));
      }
      std::cout << completion_text(*shell, commands) << std::flush;
      return std::cout ? 0 : 1;
    };
  });
}

}  // namespace slipway::program
