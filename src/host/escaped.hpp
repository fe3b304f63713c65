#pragma once
// The processes of a unit that left its process group: daemons that forked twice and called setsid. They are known by a
// mark in their environment, which every process of a unit inherits. What cleared its environment, or may not be read
// (another user's, without CAP_SYS_PTRACE and without CAP_SETUID), is not found here and ends with the container.

#include <string>
#include <string_view>
#include <vector>

#include "host/child_table.hpp"

namespace slipway::host {

/// Its value is a list, separated by ':': a Slipway inside of a unit of another one adds its own mark.
inline constexpr std::string_view kMarkVariable = "SLIPWAY_INSTANCE";

struct Escaped {
  std::vector<int> roots;  ///< orphans that became our children
  bool undecided = false;  ///< one hangs in a system call; to look at it could hang us too, so ask again later
};

/// Looks at those of our children that are not in the table: at nobody else, so an idle unit costs nothing.
[[nodiscard]] Escaped find_escaped(const ChildTable& children, std::string_view mark);

/// To the roots and whatever is below them, each only while it is our descendant (signal_descendant()).
void signal_escaped(const Escaped& escaped, int signal);

}  // namespace slipway::host
