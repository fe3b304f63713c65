#pragma once
// Who may use the control socket: root, the user Slipway runs as, and members of the configured group. The kernel says
// who is at the other end (SO_PEERCRED and SO_PEERGROUPS, unix(7)); nothing is looked up and nothing is believed.

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "config/error.hpp"

namespace slipway::control {

struct Peer {
  pid_t pid = 0;
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  std::vector<gid_t> groups;
};

struct PeerPolicy {
  uid_t owner = 0;
  std::optional<gid_t> group;
};

/// Errors: the kernel would not say.
[[nodiscard]] Result<Peer> peer_of(int socket);
[[nodiscard]] bool may_control(const Peer& peer, const PeerPolicy& policy);

/// A group's number from its number or from /etc/group, which is read directly: name services may block.
[[nodiscard]] Result<gid_t> find_group(const std::string& name, const std::string& group_file = "/etc/group");

}  // namespace slipway::control
