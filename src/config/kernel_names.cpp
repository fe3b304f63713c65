#include "config/kernel_names.hpp"

#include <algorithm>
#include <array>
#include <sys/resource.h>

namespace slipway::config {
namespace {

struct Limit {
  std::string_view name;
  int resource;
};
constexpr std::array<Limit, 16> kLimits{{{"as", RLIMIT_AS},
                                         {"core", RLIMIT_CORE},
                                         {"cpu", RLIMIT_CPU},
                                         {"data", RLIMIT_DATA},
                                         {"fsize", RLIMIT_FSIZE},
                                         {"locks", RLIMIT_LOCKS},
                                         {"memlock", RLIMIT_MEMLOCK},
                                         {"msgqueue", RLIMIT_MSGQUEUE},
                                         {"nice", RLIMIT_NICE},
                                         {"nofile", RLIMIT_NOFILE},
                                         {"nproc", RLIMIT_NPROC},
                                         {"rss", RLIMIT_RSS},
                                         {"rtprio", RLIMIT_RTPRIO},
                                         {"rttime", RLIMIT_RTTIME},
                                         {"sigpending", RLIMIT_SIGPENDING},
                                         {"stack", RLIMIT_STACK}}};

/// The index is the number (capabilities(7), linux/capability.h).
constexpr std::array<std::string_view, 41> kCapabilities{"chown",
                                                         "dac_override",
                                                         "dac_read_search",
                                                         "fowner",
                                                         "fsetid",
                                                         "kill",
                                                         "setgid",
                                                         "setuid",
                                                         "setpcap",
                                                         "linux_immutable",
                                                         "net_bind_service",
                                                         "net_broadcast",
                                                         "net_admin",
                                                         "net_raw",
                                                         "ipc_lock",
                                                         "ipc_owner",
                                                         "sys_module",
                                                         "sys_rawio",
                                                         "sys_chroot",
                                                         "sys_ptrace",
                                                         "sys_pacct",
                                                         "sys_admin",
                                                         "sys_boot",
                                                         "sys_nice",
                                                         "sys_resource",
                                                         "sys_time",
                                                         "sys_tty_config",
                                                         "mknod",
                                                         "lease",
                                                         "audit_write",
                                                         "audit_control",
                                                         "setfcap",
                                                         "mac_override",
                                                         "mac_admin",
                                                         "syslog",
                                                         "wake_alarm",
                                                         "block_suspend",
                                                         "audit_read",
                                                         "perfmon",
                                                         "bpf",
                                                         "checkpoint_restore"};

std::string folded(std::string_view text, std::string_view prefix) {
  std::string result(text);
  for (char& byte : result)
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  if (result.starts_with(prefix)) result.erase(0, prefix.size());
  return result;
}

}  // namespace

std::optional<int> limit_resource(std::string_view name) {
  const std::string wanted = folded(name, "rlimit_");
  for (const Limit& limit : kLimits)
    if (limit.name == wanted) return limit.resource;
  return std::nullopt;
}

std::string_view limit_name(int resource) {
  for (const Limit& limit : kLimits)
    if (limit.resource == resource) return limit.name;
  return {};
}

std::vector<std::string_view> limit_names() {
  std::vector<std::string_view> names;
  for (const Limit& limit : kLimits) names.push_back(limit.name);
  return names;
}

bool is_every_capability(std::string_view name) { return folded(name, "cap_") == "all"; }

std::optional<int> capability_number(std::string_view name) {
  const auto found = std::find(kCapabilities.begin(), kCapabilities.end(), folded(name, "cap_"));
  if (found == kCapabilities.end()) return std::nullopt;
  return static_cast<int>(found - kCapabilities.begin());
}

std::string capability_name(int number) {
  if (number < 0 || number >= static_cast<int>(kCapabilities.size())) return "capability " + std::to_string(number);
  std::string name = "CAP_";
  for (const char byte : kCapabilities[static_cast<std::size_t>(number)])
    name += byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
  return name;
}

std::vector<std::string_view> capability_names() { return {kCapabilities.begin(), kCapabilities.end()}; }

}  // namespace slipway::config
