#pragma once
// How a child that could not become its program tells the parent why: one fixed-size record over a pipe all children
// share, small enough to be atomic (pipe(7), PIPE_BUF), written just before _exit(127). Private to host.

#include <string>

namespace slipway::host {

enum class StartStage : int {
  kGroup,
  kTerminal,
  kStreams,
  kMemory,
  kLimit,
  kPriority,
  kBounding,
  kIdentity,
  kCapabilities,
  kDirectory,
  kMask,
  kPrivileges,
  kExec,
};

struct StartReport {
  int pid = 0;
  StartStage stage = StartStage::kExec;
  int error = 0;
  char detail[244] = {};  ///< what the stage was about, cut if longer: the program, the directory, the user
};
static_assert(sizeof(StartReport) == 256);

/// "cannot execute /bin/x: No such file or directory", with advice where errno alone misleads.
[[nodiscard]] std::string to_string(const StartReport& report);

}  // namespace slipway::host
