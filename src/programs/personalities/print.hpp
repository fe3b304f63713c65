#pragma once
// A personality's own few lines. PID 1 must not block on whoever reads its output.

#include <string_view>

namespace slipway::program {

/// Writes one message to a descriptor, or drops it when the reader is stuck.
void print(int descriptor, std::string_view text);

/// For the texts of --help and the like: a reader may take a second for each part of it.
void print_patiently(int descriptor, std::string_view text);

}  // namespace slipway::program
