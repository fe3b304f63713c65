#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>
#include <unistd.h>

#include "config/exit_code.hpp"
#include "programs/slipway/commands.hpp"
#include "programs/slipway/db_program.hpp"

namespace slipway::program {

std::string program_beside(const std::string& name) {
  char self[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  if (length <= 0 || static_cast<std::size_t>(length) >= sizeof self) return name;
  std::string path(self, static_cast<std::size_t>(length));
  path.resize(path.rfind('/') + 1);
  path += name;
  return access(path.c_str(), X_OK) == 0 ? path : name;
}

int run_database_program(int argc, const char* const* argv) {
  const std::string program = program_beside("slipway-db");
  std::vector<std::string> words{"slipway-db"};
  words.insert(words.end(), argv, argv + argc);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(program.c_str(), arguments.data());
  const int error = errno;
  std::cerr << "slipway db: " << program << ": " << std::strerror(error);
  if (error == ENOENT) std::cerr << ": install slipway-db beside slipway or in PATH";
  std::cerr << '\n';
  return static_cast<int>(ExitCode::kInternal);
}

void add_db(CLI::App& program, Action& chosen) {
  // Only for --help and for completion: command_line() hands `db` over before anything is parsed.
  CLI::App* db = program.add_subcommand("db", "the database, by hand: slipway-db");
  db->prefix_command();
  db->callback([&] { chosen = [] { return run_database_program(0, nullptr); }; });
}

}  // namespace slipway::program
