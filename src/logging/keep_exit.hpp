#pragma once
// How `slipway keep-logs` ends, for PID 1 that runs it.

namespace slipway::logging {

inline constexpr int kKeepDone = 0;
inline constexpr int kKeepFailed = 1;
inline constexpr int kKeepNoCompressor = 2;  ///< old files were removed, but none could be compressed

}  // namespace slipway::logging
