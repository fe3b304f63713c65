#include "database/sqlite/connection.hpp"

#include <algorithm>
#include <limits>
#include <sqlite3.h>

namespace slipway::database::sqlite {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

int flags_of(Access access) {
  switch (access) {
    case Access::kReadOnly:
      return SQLITE_OPEN_READONLY;
    case Access::kReadWrite:
      return SQLITE_OPEN_READWRITE;
    case Access::kCreate:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return SQLITE_OPEN_READONLY;
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Error Connection::error(ExitCode code) const {
  const int result = sqlite3_errcode(handle_.get());
  std::string message = path_ + ": " + sqlite3_errmsg(handle_.get());
  if (result == SQLITE_CORRUPT || result == SQLITE_NOTADB) {
    return {message + ": the file is damaged or no SQLite database: restore it from a backup",
            ExitCode::kClusterRefused};
  }
  if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
    return {message + ": another process is using it: end it, or raise database.sqlite.busy_timeout", code};
  }
  return {message, code};
}

Result<Connection> Connection::open(const std::string& path, Access access, config::Duration busy_timeout) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &handle, flags_of(access) | SQLITE_OPEN_EXRESCODE, nullptr);
  Connection connection(handle, path);
  if (handle == nullptr) return failure(ExitCode::kInternal, path + ": out of memory");
  if (result != SQLITE_OK) return tl::unexpected(connection.error(ExitCode::kClusterRefused));
  sqlite3_extended_result_codes(handle, 0);
  constexpr std::int64_t kLongest = std::numeric_limits<int>::max();
  sqlite3_busy_timeout(handle, static_cast<int>(std::min<std::int64_t>(busy_timeout.count(), kLongest)));
  return connection;
}

Result<void> Connection::execute(const std::string& sql, ExitCode code) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return tl::unexpected(error(code));
  }
  return {};
}

Result<std::string> Connection::query(const std::string& sql, ExitCode code) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &raw, nullptr) != SQLITE_OK) {
    return tl::unexpected(error(code));
  }
  const std::unique_ptr<sqlite3_stmt, Finalize> statement(raw);
  std::string result;
  int step = SQLITE_ROW;
  for (bool first = true; (step = sqlite3_step(raw)) == SQLITE_ROW; first = false) {
    const auto* text = sqlite3_column_text(raw, 0);
    if (!first) result += '\n';
    if (text != nullptr) result += reinterpret_cast<const char*>(text);
  }
  if (step != SQLITE_DONE) return tl::unexpected(error(code));
  return result;
}

void Connection::keep_wal_on_close() { sqlite3_db_config(handle_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

}  // namespace slipway::database::sqlite
