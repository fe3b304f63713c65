#pragma once
// The kernel's resource limits and capabilities by name, as a configuration writes them. Pure.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::config {

/// The RLIMIT_ number for `nofile`, `NOFILE` or `RLIMIT_NOFILE`; empty for an unknown name.
[[nodiscard]] std::optional<int> limit_resource(std::string_view name);
/// `nofile` for RLIMIT_NOFILE; empty for a number that is none.
[[nodiscard]] std::string_view limit_name(int resource);
/// Every limit, in alphabetical order.
[[nodiscard]] std::vector<std::string_view> limit_names();

/// The word that stands for every capability.
[[nodiscard]] bool is_every_capability(std::string_view name);
/// The number for `net_admin`, `NET_ADMIN` or `CAP_NET_ADMIN`; empty for an unknown name, and for `all`.
[[nodiscard]] std::optional<int> capability_number(std::string_view name);
/// `CAP_NET_ADMIN`; `capability 63` for one that has no name yet.
[[nodiscard]] std::string capability_name(int number);
/// Every capability, in lower case and without CAP_, in the kernel's order.
[[nodiscard]] std::vector<std::string_view> capability_names();

}  // namespace slipway::config
