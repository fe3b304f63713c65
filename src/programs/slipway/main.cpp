#include "programs/personalities/personality.hpp"
#include "programs/slipway/command_line.hpp"

int main(int argc, char** argv) {
  if (const auto code = slipway::program::run_personality(argc, argv)) return *code;
  return slipway::program::command_line(argc, argv);
}
