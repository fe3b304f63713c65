#pragma once
// What a command line comes to when there is nothing to run: a text, for standard output or standard error, and an
// exit code.

#include <string>
#include <unistd.h>

#include "programs/personalities/print.hpp"

namespace slipway::program {

struct Refusal {
  std::string text;
  int code = 0;
  int descriptor = STDERR_FILENO;

  /// Prints the text and returns the code.
  [[nodiscard]] int tell() const {
    print_patiently(descriptor, text);
    return code;
  }
};

}  // namespace slipway::program
