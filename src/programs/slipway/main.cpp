#include "programs/slipway/command_line.hpp"

int main(int argc, char** argv) { return slipway::program::command_line(argc, argv); }
