#pragma once
// The migration lock of an SQLite database: flock(2) on a file beside it. The kernel releases it when the last holder
// of the descriptor is gone, so a crash leaves nothing to clean up; the file itself stays, because removing it would
// let two processes lock two files of the same name.

#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"
#include "database/report.hpp"
#include "host/descriptor.hpp"

namespace slipway::database::sqlite {

class FileLock {
 public:
  /// Waits up to `timeout` for `<database>.slipway-lock`, symbolic links of the database resolved. Says once who holds
  /// it. Errors: 75 names the holder; 77 when the lock file cannot be made.
  [[nodiscard]] static Result<FileLock> acquire(const std::string& database, config::Duration timeout,
                                                const Report& report);
  /// Releases it at once, also where children still hold the descriptor.
  ~FileLock();
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&&) noexcept = default;

  /// For children: while one of them lives with this descriptor open, the lock survives our death.
  [[nodiscard]] int descriptor() const { return file_.get(); }

 private:
  explicit FileLock(host::Descriptor file) : file_(std::move(file)) {}
  host::Descriptor file_;
};

/// `<database>.slipway-lock`, beside the file that a symbolic link leads to.
[[nodiscard]] std::string lock_path(const std::string& database);

}  // namespace slipway::database::sqlite
