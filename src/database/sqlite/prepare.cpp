#include "database/sqlite/prepare.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "database/directories.hpp"
#include "database/identity.hpp"
#include "database/sqlite/connection.hpp"
#include "database/sqlite/file_system.hpp"
#include "host/descriptor.hpp"

namespace slipway::database::sqlite {
namespace {

constexpr mode_t kDirectoryMode = 0770;
constexpr mode_t kFileMode = 0660;
constexpr std::string_view kHeader{"SQLite format 3\0", 16};

std::string reason(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> refused(const std::string& message) { return failure(ExitCode::kClusterRefused, message); }

std::string who(const host::Identity& owner) {
  return (owner.name.empty() ? "the user" : owner.name) + " (id " + std::to_string(owner.uid) + ")";
}

tl::unexpected<Error> not_allowed(const std::string& path, int error, const host::Identity& owner) {
  if (error == EROFS) {
    return failure(ExitCode::kPermission, path + ": the file system is read-only: mount a writable volume there");
  }
  if (error == EACCES || error == EPERM) {
    return failure(ExitCode::kPermission, path + ": " + who(owner) + " may not write here: chown it to " +
                                              std::to_string(owner.uid) + ":" + std::to_string(owner.gid) +
                                              ", or set migrations.user to its owner");
  }
  return refused(path + ": " + reason(error) + ": check database.sqlite.path");
}

const char* word(config::JournalMode mode) {
  static constexpr std::array kWords{"wal", "delete", "truncate", "persist", "memory", "off"};
  return kWords.at(static_cast<std::size_t>(mode));
}

/// WAL and journals are created beside the file, so the directory must be writable too.
Result<void> check_directory(const std::string& directory, const host::Identity& owner) {
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0) return not_allowed(directory, errno, owner);
  if (!S_ISDIR(status.st_mode)) return refused(directory + ": is not a directory: check database.sqlite.path");
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return not_allowed(directory, errno, owner);
  }
  return {};
}

Result<void> check_kind(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    // A parent that may not be searched is check_directory's to report.
    return {};
  }
  if (S_ISLNK(status.st_mode) && ::stat(path.c_str(), &status) != 0) {
    return refused(path + ": is a symbolic link that leads nowhere: create its target or remove the link");
  }
  if (S_ISDIR(status.st_mode)) return refused(path + ": is a directory: name the file in it");
  if (!S_ISREG(status.st_mode)) return refused(path + ": is not a plain file: name another");
  return {};
}

/// Makes the file where there is none; opens it as `owner` would. True when it was made.
Result<bool> open_or_create(const std::string& path, const host::Identity& owner) {
  const mode_t old_umask = ::umask(0);
  host::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  const int error = errno;
  ::umask(old_umask);
  if (file) return true;
  if (error != EEXIST) return not_allowed(path, error, owner);
  file.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!file) return not_allowed(path, errno, owner);
  std::array<char, kHeader.size()> header{};
  const ssize_t got = ::pread(file.get(), header.data(), header.size(), 0);
  if (got < 0) return not_allowed(path, errno, owner);
  if (got != 0 && std::string_view(header.data(), static_cast<std::size_t>(got)) != kHeader) {
    return refused(path +
                   ": is not an SQLite database (or an encrypted one): name another file, or move this one away");
  }
  return false;
}

Result<void> check_content(Connection& connection, const std::string& path, config::StartupCheck check) {
  if (check == config::StartupCheck::kOff) return {};
  auto found =
      connection.query(check == config::StartupCheck::kQuick ? "PRAGMA quick_check(3)" : "PRAGMA integrity_check(3)",
                       ExitCode::kClusterRefused);
  if (!found) return tl::unexpected(found.error());
  if (*found == "ok") return {};
  for (char& c : *found) c = c == '\n' ? ';' : c;
  return refused(
      path + ": the database is corrupt: " + *found +
      ": restore a backup; the file was left as it is (database.sqlite.startup_check: off skips this check)");
}

Result<void> set_journal_mode(Connection& connection, const std::string& path, config::JournalMode mode) {
  auto now = connection.query(std::string("PRAGMA journal_mode=") + word(mode), ExitCode::kDatabaseUnavailable);
  if (!now) return tl::unexpected(now.error());
  if (*now != word(mode)) {
    return refused(path + ": journal_mode " + word(mode) + " did not take, SQLite kept " + *now +
                   ": the file system lacks shared memory: choose another database.sqlite.journal_mode or volume");
  }
  return {};
}

Result<void> check_file_system(const std::string& directory, config::JournalMode mode) {
  if (mode != config::JournalMode::kWal) return {};
  const auto name = unsuitable_for_wal(directory);
  if (!name) return {};
  return refused(
      directory + ": is on " + *name +
      ", where SQLite's WAL can lose data because processes cannot share its memory: put the database on a "
      "local volume, set database.sqlite.journal_mode to delete and use one machine only, or use PostgreSQL");
}

}  // namespace

Result<void> prepare(const std::string& path, const config::SqliteDatabase& settings, const host::Identity& owner,
                     const Report& report) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (auto made = make_directories(directory, kDirectoryMode, owner); !made) {
    return made;
  }
  const ActingAs acting(owner);
  if (auto checked = check_kind(path); !checked) return checked;
  if (auto checked = check_directory(directory, owner); !checked) return checked;
  if (auto checked = check_file_system(directory, settings.journal_mode); !checked) return checked;
  const auto created = open_or_create(path, owner);
  if (!created) return tl::unexpected(created.error());
  if (*created) say(report, path + ": created");
  auto connection = Connection::open(path, Access::kReadWrite, settings.busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  connection->keep_wal_on_close();
  if (auto checked = check_content(*connection, path, settings.startup_check); !checked) return checked;
  if (auto set = set_journal_mode(*connection, path, settings.journal_mode); !set) return set;
  return connection->query("SELECT count(*) FROM sqlite_master", ExitCode::kClusterRefused).map([](auto&&) {});
}

}  // namespace slipway::database::sqlite
