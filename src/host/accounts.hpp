#pragma once
// Users and groups from /etc/passwd and /etc/group, read by our own parser: NSS cannot be used in a static program,
// and an arbitrary uid without an entry must work. Malformed lines are ignored, as getpwnam(3) does.

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "config/error.hpp"

namespace slipway::host {

struct User {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string shell;
};

struct Group {
  std::string name;
  gid_t gid = 0;
  std::vector<std::string> members;
};

/// Where to look; tests give their own files.
struct AccountFiles {
  std::string passwd = "/etc/passwd";
  std::string group = "/etc/group";
};

/// Empty when there is no such entry; an unreadable file reads as an empty one.
[[nodiscard]] std::optional<User> find_user(const std::string& name, const AccountFiles& files = {});
[[nodiscard]] std::optional<User> find_user(uid_t uid, const AccountFiles& files = {});
[[nodiscard]] std::optional<Group> find_group(const std::string& name, const AccountFiles& files = {});
[[nodiscard]] std::optional<Group> find_group(gid_t gid, const AccountFiles& files = {});

/// Whom a process runs as. `name` and `home` are empty when the uid has no passwd entry.
struct Identity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< the supplementary groups, without duplicates
  std::string name;
  std::string home;
  bool operator==(const Identity&) const = default;
};

/// Resolves `user` ("name", "1000", "name:group", "1000:100"), `group` (wins over the part after the colon) and extra
/// groups, by name or by number. A number needs no entry; without one, and without a group given, the gid is 0, as with
/// Docker's `--user`. Without `user` the identity is this process's own. Supplementary groups are those that list the
/// user, plus `supplementary`.
/// Errors: an unknown name, a number out of range.
[[nodiscard]] Result<Identity> resolve_identity(const std::string& user, const std::string& group,
                                                const std::vector<std::string>& supplementary,
                                                const AccountFiles& files = {});

}  // namespace slipway::host
