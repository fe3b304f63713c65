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
  /// The number that makes a backup of this second the newest of those in `names`. A lower one may be free, where an
  /// older backup was removed, but would pass for older than its elder sisters.
  [[nodiscard]] unsigned next_collision(std::chrono::system_clock::time_point at,
                                        const std::vector<std::string>& names) const;
  /// The backups among `names` beyond the newest `keep`, 0 for no limit. The one just made is never among them,
  /// however a clock that was set back dates it.
  [[nodiscard]] std::vector<std::string> surplus(const std::vector<std::string>& names, unsigned keep,
                                                 const std::string& made) const;

 private:
  std::string stem_;
  std::string suffix_;
};

}  // namespace slipway::database
