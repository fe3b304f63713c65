#pragma once
// The migration lock on PostgreSQL: one session-level advisory lock on a connection of its own. The server releases it
// when the session ends, however that happens, so a crashed holder never blocks others.

#include <cstdint>
#include <optional>
#include <string>

#include "config/configuration.hpp"
#include "database/postgres/connection.hpp"

namespace slipway::database::postgres {

/// A number is taken as it is, "auto" means one lock per schema of the database, other text is hashed (FNV-1a, so
/// that every version and replica computes the same).
[[nodiscard]] std::int64_t advisory_lock_key(const std::string& key, const std::string& schema);

class AdvisoryLock {
 public:
  /// Waits for the lock up to `lock.timeout`, saying who holds it. Errors: 75 names the holder (pid, user, address,
  /// application); 69/77 as for any connection.
  static Result<AdvisoryLock> acquire(const ResolvedDatabase& database, const config::MigrationLock& lock,
                                      const Report& report);
  /// Releases the lock, if the session still lives.
  ~AdvisoryLock();
  AdvisoryLock(AdvisoryLock&& other) noexcept;
  AdvisoryLock& operator=(AdvisoryLock&&) = delete;

  /// Proves that this session still holds the lock. Error 75: the connection was lost, so another replica may hold it
  /// now and nothing must be migrated or marked as migrated.
  [[nodiscard]] Result<void> verify();

  /// The session's socket. A child that inherits it keeps the session, and so the lock, when we are killed.
  [[nodiscard]] int descriptor() const;

 private:
  AdvisoryLock(Connection connection, std::int64_t key);
  std::optional<Connection> connection_;
  std::int64_t key_;
};

}  // namespace slipway::database::postgres
