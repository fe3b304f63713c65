#pragma once
// As whom the database's files are made and the migration runs.

#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "host/accounts.hpp"

namespace slipway::database {

/// `migrations.user`; with SQLite and none set, the first enabled worker's user (in the order of their names), because
/// whoever migrates creates files the workers must write. Otherwise this process's own identity.
/// Errors: 78 an unknown user; 77 another user than our own without being root.
[[nodiscard]] Result<host::Identity> migration_identity(const config::Configuration& configuration,
                                                        config::Backend backend);

/// While it lives, files are created and permissions checked as `identity`: the effective user, group and
/// supplementary groups of the process. Does nothing for our own identity. For single-threaded use.
class ActingAs {
 public:
  explicit ActingAs(const host::Identity& identity);
  /// Ends the process if it cannot get its rights back, because nothing sensible can follow.
  ~ActingAs();
  ActingAs(const ActingAs&) = delete;
  ActingAs& operator=(const ActingAs&) = delete;

 private:
  bool active_ = false;
  uid_t uid_ = 0;
  gid_t gid_ = 0;
  std::vector<gid_t> groups_;
};

}  // namespace slipway::database
