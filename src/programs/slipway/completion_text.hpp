#pragma once
// Completion scripts from a list of commands. Pure.

#include <string>
#include <vector>

namespace slipway::program {

struct CompletionCommand {
  std::string name;
  std::string help;
  std::vector<std::string> options;  ///< "--json"
  bool takes_units = false;          ///< units' names are asked for when the user presses Tab
};

/// `shell` is bash, zsh or fish.
[[nodiscard]] std::string completion_text(const std::string& shell, const std::vector<CompletionCommand>& commands);

}  // namespace slipway::program
