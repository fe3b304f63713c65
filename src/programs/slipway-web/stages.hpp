#pragma once
// slipway-web runs in two stages, so that what parses bytes from the network has neither rights nor secrets:
//   1. as PID 1 started it: reads the configuration, connects to the control socket, binds http.listen, gives up its
//      rights for those of http.user, and executes itself with an empty environment;
//   2. `--serve`: a fresh process image that has never seen the configuration, with two descriptors: the control
//      connection, on which it may only look, and the listening socket.

#include <string>

namespace slipway::program {

/// Where stage 1 leaves the descriptors for stage 2.
inline constexpr int kControlDescriptor = 3;
inline constexpr int kListenDescriptor = 4;

[[nodiscard]] int web_program(int argc, const char* const* argv);

/// Stage 1; returns only on failure.
[[nodiscard]] int prepare(const std::string& config, const std::string& socket);
/// Stage 2; returns when it is told to stop (0) or PID 1 is gone (69).
[[nodiscard]] int serve();

}  // namespace slipway::program
