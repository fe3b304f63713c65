#pragma once
// The operating system user PostgreSQL runs as: os_user when we are root, ourselves otherwise, with or without a
// passwd entry.

#include <string>
#include <sys/types.h>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::database::postgres {

struct OsIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary; used only when `switches`
  std::string name;           ///< what getpwuid() says inside the server, its user name for peer authentication
  std::string home = "/";
  bool switches = false;         ///< we are root, so a child must change to this user
  bool has_passwd_entry = true;  ///< false: PostgreSQL needs name_service_environment()
};

/// Errors: 78 an unknown os_user, or root, as whom PostgreSQL refuses to run.
[[nodiscard]] Result<OsIdentity> cluster_identity(const std::string& os_user);

/// The user name the server's peer authentication sees for this process itself.
[[nodiscard]] std::string own_peer_name(const OsIdentity& identity);

/// Variables that give a uid without a passwd entry a name, through libnss_wrapper and two files in `directory`; empty
/// where there is an entry. Errors: 77 when the library is not installed, naming the package.
[[nodiscard]] Result<config::StringMap> name_service_environment(const OsIdentity& identity,
                                                                 const std::string& directory);

/// Changes the calling process to `identity` for good. Async-signal-safe (system calls only). Returns errno, or 0.
int become(const OsIdentity& identity);

}  // namespace slipway::database::postgres
