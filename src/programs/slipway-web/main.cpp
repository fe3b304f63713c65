#include "programs/slipway-web/stages.hpp"

int main(int argc, char** argv) { return slipway::program::web_program(argc, argv); }
