#pragma once
// Slipway as tini: the command leads its own process group and has the terminal; every signal is passed on as it is.

#include "host/signals.hpp"

namespace slipway::program {

/// Everything but the faults of a program itself; TTIN and TTOU are ignored, for the terminal is the command's.
[[nodiscard]] host::SignalSet tini_signals();

/// `inherited` is what the command gets back. Returns only when there is nothing to run: with the exit code.
[[nodiscard]] int run_tini(int argc, char** argv, const host::SignalState& inherited);

}  // namespace slipway::program
