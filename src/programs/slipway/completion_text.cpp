#include "programs/slipway/completion_text.hpp"

namespace slipway::program {
namespace {

/// The first column of `slipway status`, below its heading.
constexpr const char* kUnits = "slipway status 2>/dev/null | awk 'NR > 3 { print $1 }'";

std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char byte : text) out += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
  return out + "'";
}

std::string names_of(const std::vector<CompletionCommand>& commands) {
  std::string names;
  for (const CompletionCommand& command : commands) names += (names.empty() ? "" : " ") + command.name;
  return names;
}

std::string words_of(const CompletionCommand& command) {
  std::string words;
  for (const std::string& option : command.options) words += (words.empty() ? "" : " ") + option;
  return words;
}

std::string bash(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "_slipway() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} words=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    words=\"" +
      names_of(commands) +
      " --help --version\"\n"
      "  else\n"
      "    case ${COMP_WORDS[1]} in\n";
  for (const CompletionCommand& command : commands) {
    out += "      " + command.name + ") words=\"" + words_of(command) + "\"";
    if (command.takes_units) out += "; case $current in -*) ;; *) words=$(" + std::string(kUnits) + ") ;; esac";
    out += " ;;\n";
  }
  return out +
         "    esac\n"
         "  fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _slipway slipway\n";
}

std::string zsh(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "#compdef slipway\n"
      "_slipway() {\n"
      "  local -a commands\n"  // not `words`: that is zsh's own array of the line
      "  commands=(\n";
  for (const CompletionCommand& command : commands) {
    out += "    " + single_quoted(command.name + ":" + command.help) + "\n";
  }
  out +=
      "  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case ${words[2]} in\n";
  std::string cases;
  for (const CompletionCommand& command : commands) {
    cases += "    " + command.name + ") compadd -- " + words_of(command);
    if (command.takes_units) cases += " ${(f)\"$(" + std::string(kUnits) + ")\"}";
    cases += " ;;\n";
  }
  return out + cases + "  esac\n  _files\n}\ncompdef _slipway slipway\n";
}

std::string fish(const std::vector<CompletionCommand>& commands) {
  std::string out = "complete -c slipway -f -n __fish_use_subcommand -l help\n";
  for (const CompletionCommand& command : commands) {
    out += "complete -c slipway -f -n __fish_use_subcommand -a " + command.name + " -d " + single_quoted(command.help) +
           "\n";
    const std::string here = " -n '__fish_seen_subcommand_from " + command.name + "'";
    for (const std::string& option : command.options)
      out += "complete -c slipway" + here + " -l " + option.substr(2) + "\n";
    if (command.takes_units) out += "complete -c slipway -f" + here + " -a \"(" + std::string(kUnits) + ")\"\n";
  }
  return out;
}

}  // namespace

std::string completion_text(const std::string& shell, const std::vector<CompletionCommand>& commands) {
  if (shell == "bash") return bash(commands);
  return shell == "zsh" ? zsh(commands) : fish(commands);
}

}  // namespace slipway::program
