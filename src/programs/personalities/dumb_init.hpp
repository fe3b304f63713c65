#pragma once
// Slipway as dumb-init: the command leads a session of its own, which gets every signal, rewritten where asked.

#include "host/signals.hpp"

namespace slipway::program {

/// Every standard signal that can be received.
[[nodiscard]] host::SignalSet dumb_init_signals();

/// Returns only when there is nothing to run: with the exit code.
[[nodiscard]] int run_dumb_init(int argc, char** argv);

}  // namespace slipway::program
