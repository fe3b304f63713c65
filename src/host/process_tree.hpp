#pragma once
// What /proc says about the processes below us. A number read here may belong to somebody else a moment later: only
// signal_descendant() (descendants.hpp) may act on one. Private to host.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace slipway::host {

/// Of proc_pid_stat(5).
struct ProcessStat {
  char state = '?';
  int parent = 0;
  std::uint64_t started = 0;  ///< in clock ticks since the machine's boot: tells a recycled number from the first owner
  [[nodiscard]] bool dead() const { return state == 'Z' || state == 'X'; }
};

/// A whole file of /proc; empty when it is gone or may not be read.
[[nodiscard]] std::optional<std::string> read_proc(const std::string& path);
/// Empty when there is no such process.
[[nodiscard]] std::optional<ProcessStat> read_stat(int pid);
/// Empty when the kernel was built without CONFIG_PROC_CHILDREN.
[[nodiscard]] std::optional<std::vector<int>> children_of(int pid);
[[nodiscard]] std::vector<int> every_process();
/// The chain of parents leads to this process, at the moment of the call. False for ourselves, and for pid <= 1.
[[nodiscard]] bool is_descendant(int pid);

}  // namespace slipway::host
