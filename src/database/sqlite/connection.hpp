#pragma once
// One connection to an SQLite file. Paths are paths: never URIs, whatever characters they hold.

#include <memory>
#include <string>

#include "config/configuration.hpp"
#include "config/error.hpp"

struct sqlite3;

namespace slipway::database::sqlite {

enum class Access { kReadOnly, kReadWrite, kCreate };

class Connection {
 public:
  /// Opens without creating anything, unless kCreate. `busy_timeout` is how long a statement waits for other
  /// connections. Errors: 73 it cannot be opened; the file is looked at only by the first statement.
  [[nodiscard]] static Result<Connection> open(const std::string& path, Access access, config::Duration busy_timeout);

  /// One or several statements; their rows are thrown away. Errors: `code` and SQLite's message.
  [[nodiscard]] Result<void> execute(const std::string& sql, ExitCode code = ExitCode::kInternal);
  /// The first column of every row of one statement, one line each; NULL is an empty line.
  [[nodiscard]] Result<std::string> query(const std::string& sql, ExitCode code = ExitCode::kInternal);
  /// Closing leaves the WAL as it is, so that a file that is only examined is not changed.
  void keep_wal_on_close();

  [[nodiscard]] sqlite3* native() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  [[nodiscard]] Error error(ExitCode code) const;
  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

}  // namespace slipway::database::sqlite
