#pragma once
// Names of the backups before migrations: `{stem}.pre-migrate-%Y%m%dT%H%M%SZ{suffix}`, in UTC, `-1`, `-2` on a
// collision.

#include <chrono>
#include <string>
#include <vector>

namespace slipway::database {

class BackupNames {
 public:
  explicit BackupNames(const std::string& database);

  /// `collision` 0 has no number.
  [[nodiscard]] std::string name(std::chrono::system_clock::time_point at, unsigned collision) const;
  /// A hidden name no listing of backups takes for one.
  [[nodiscard]] std::string partial(const std::string& unique) const;
  [[nodiscard]] bool is_partial(const std::string& name) const;
  /// Those of `names` that are backups of this database, oldest first.
  [[nodiscard]] std::vector<std::string> backups(const std::vector<std::string>& names) const;

 private:
  std::string stem_;
  std::string suffix_;
};

}  // namespace slipway::database
