#include "control/peer.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sys/socket.h>

namespace slipway::control {
namespace {

std::optional<gid_t> parse_gid(std::string_view text) {
  gid_t gid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gid);
  if (error != std::errc() || end != text.data() + text.size() || gid == static_cast<gid_t>(-1)) return std::nullopt;
  return gid;
}

/// Older kernels and sandboxes know no SO_PEERGROUPS; the primary group remains then.
std::vector<gid_t> supplementary_groups(int socket) {
  std::vector<gid_t> groups(64);
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE) break;
    groups.resize(size / sizeof(gid_t));  // the kernel wrote how much it needs
  }
  return {};
}

}  // namespace

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return failure(ExitCode::kPermission, std::string("control: SO_PEERCRED: ") + std::strerror(errno));
  }
  return Peer{credentials.pid, credentials.uid, credentials.gid, supplementary_groups(socket)};
}

bool may_control(const Peer& peer, const PeerPolicy& policy) {
  if (peer.uid == 0 || peer.uid == policy.owner) return true;
  if (!policy.group) return false;
  return peer.gid == *policy.group ||
         std::find(peer.groups.begin(), peer.groups.end(), *policy.group) != peer.groups.end();
}

Result<gid_t> find_group(const std::string& name, const std::string& group_file) {
  if (const auto gid = parse_gid(name)) return *gid;
  std::ifstream file(group_file);
  std::string line;
  while (std::getline(file, line)) {  // group(5): name:password:gid:members
    const std::size_t name_end = line.find(':');
    if (name_end == std::string::npos || line.compare(0, name_end, name) != 0 || name_end != name.size()) continue;
    const std::size_t gid_begin = line.find(':', name_end + 1);
    if (gid_begin == std::string::npos) continue;
    const std::size_t gid_end = std::min(line.find(':', gid_begin + 1), line.size());
    if (const auto gid = parse_gid(std::string_view(line).substr(gid_begin + 1, gid_end - gid_begin - 1))) return *gid;
  }
  return failure(ExitCode::kConfiguration,
                 "control.group: " + name + ": no such group in " + group_file + ": create it or give its number");
}

}  // namespace slipway::control
