#include "database/sqlite/backup.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include "database/backup_names.hpp"
#include "database/directories.hpp"
#include "database/sqlite/connection.hpp"
#include "host/descriptor.hpp"
#include "host/files.hpp"

namespace slipway::database::sqlite {
namespace {

constexpr int kPagesPerStep = 1024;
constexpr std::uint64_t kReserve = 1024UL * 1024;
constexpr unsigned kMostCollisions = 1000;

std::string reason(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> failed(const std::string& message) { return failure(ExitCode::kBackupFailed, message); }

/// Removes an unfinished copy with whatever SQLite put beside it.
class PartialFile {
 public:
  explicit PartialFile(std::string path) : path_(std::move(path)) {}
  ~PartialFile() {
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
  }
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<std::string> entries(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  return names;
}

Result<void> check_space(Connection& source, const std::string& directory) {
  auto pages =
      source.query("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", ExitCode::kBackupFailed);
  if (!pages) return tl::unexpected(pages.error());
  const std::uint64_t needed = std::stoull(pages->empty() ? "0" : *pages) + kReserve;
  struct statvfs status{};
  if (::statvfs(directory.c_str(), &status) != 0)
    return failed(directory + ": " + reason(errno) + ": check backup.dir");
  const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  if (free >= needed) return {};
  return failed(directory + ": the backup needs " + std::to_string(needed / 1024) + " KiB, but only " +
                std::to_string(free / 1024) + " KiB are free: free some space, set backup.dir to another volume, or " +
                "switch migrations.backup off");
}

host::Identity owner_of(const std::string& path) {
  host::Identity owner;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    owner.uid = status.st_uid;
    owner.gid = status.st_gid;
  }
  return owner;
}

/// An empty file that is private until it is complete.
Result<void> create_private(const std::string& path) {
  const host::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed(path + ": cannot create the backup: " + reason(errno) + ": make the directory writable");
  return {};
}

Result<void> copy_pages(Connection& source, Connection& target, const std::string& path) {
  sqlite3_backup* copy = sqlite3_backup_init(target.native(), "main", source.native(), "main");
  int step = copy == nullptr ? sqlite3_errcode(target.native()) : SQLITE_OK;
  while (step == SQLITE_OK) step = sqlite3_backup_step(copy, kPagesPerStep);
  if (copy != nullptr) {
    const int finished = sqlite3_backup_finish(copy);
    if (step == SQLITE_DONE && finished != SQLITE_OK) step = finished;
  }
  if (step == SQLITE_DONE) return {};
  const bool full = step == SQLITE_FULL || (step & 0xff) == SQLITE_IOERR;
  return failed(path + ": cannot write the backup: " + sqlite3_errstr(step) +
                (full ? ": free some space or set backup.dir to another volume" : ""));
}

/// In a rollback journal mode, so that the copy is one file that can be read from anywhere.
Result<void> copy(Connection& source, const std::string& path, config::Duration busy_timeout) {
  auto target = Connection::open(path, Access::kReadWrite, busy_timeout);
  if (!target) return failed(target.error().message);
  // Durability is one fsync at the end; a copy that is interrupted is thrown away.
  auto done = target->execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY", ExitCode::kBackupFailed);
  if (done) done = copy_pages(source, *target, path);
  if (done) done = target->query("PRAGMA journal_mode=DELETE", ExitCode::kBackupFailed).map([](auto&&) {});
  return done;
}

Result<void> read_back(Connection& source, const std::string& path, config::Duration busy_timeout) {
  auto target = Connection::open(path, Access::kReadOnly, busy_timeout);
  if (!target) return failed(target.error().message);
  static constexpr auto kCount = "SELECT count(*) || '/' || coalesce(sum(length(sql)), 0) FROM sqlite_master";
  auto check = target->query("PRAGMA integrity_check(1)", ExitCode::kBackupFailed);
  if (!check) return failed(check.error().message);
  if (*check != "ok") {
    return failed(path + ": the copy is damaged, so the database is: " + *check + ": restore an older backup");
  }
  auto expected = source.query(kCount, ExitCode::kBackupFailed);
  auto found = target->query(kCount, ExitCode::kBackupFailed);
  if (!expected || !found || *expected != *found) {
    return failed(path + ": the copy does not hold the same tables as the database: check the disk");
  }
  return {};
}

Result<void> dress(const std::string& path, const std::string& database) {
  struct stat status{};
  const host::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file || ::stat(database.c_str(), &status) != 0) return failed(path + ": " + reason(errno));
  // Without the right to give files away the backup is ours, which is as good as it gets.
  const bool given = ::fchown(file.get(), status.st_uid, status.st_gid) == 0;
  static_cast<void>(given);
  if (::fchmod(file.get(), status.st_mode & 07777U) != 0) return failed(path + ": chmod: " + reason(errno));
  if (::fsync(file.get()) != 0) return failed(path + ": fsync: " + reason(errno) + ": check the disk");
  return {};
}

/// The name it got.
Result<std::string> publish(const std::string& partial, const std::string& directory, const BackupNames& names) {
  const auto now = std::chrono::system_clock::now();
  const unsigned first = names.next_collision(now, entries(directory));
  for (unsigned attempt = 0; attempt < kMostCollisions; ++attempt) {
    std::string name = names.name(now, first + attempt);
    const std::string path = directory + "/" + name;
    const int error = host::rename_new(partial, path);
    if (error == EEXIST) continue;
    if (error != 0) return failed(path + ": rename: " + reason(error));
    if (auto synced = host::sync_directory(directory); !synced) return failed(synced.error().message);
    return name;
  }
  return failed(directory + ": too many backups of this second: look who makes them");
}

/// A backup too many is no reason to hold the migration back.
void prune(const std::string& directory, const BackupNames& names, unsigned keep, const std::string& made,
           const Report& report) {
  for (const auto& name : names.surplus(entries(directory), keep, made)) {
    if (::unlink((directory + "/" + name).c_str()) != 0) {
      say(report, directory + "/" + name + ": cannot remove the old backup: " + reason(errno));
    }
  }
}

}  // namespace

Result<std::optional<std::string>> backup_before_migration(const std::string& path, const config::Backup& backup,
                                                           config::Duration busy_timeout, const Report& report) {
  if (::access(path.c_str(), F_OK) != 0) return std::nullopt;
  auto source = Connection::open(path, Access::kReadWrite, busy_timeout);
  if (!source) return failed(source.error().message);
  source->keep_wal_on_close();
  // One read transaction for the whole copy: writers go on (in WAL mode), and the copy never starts again.
  auto tables = source->execute("BEGIN", ExitCode::kBackupFailed).and_then([&] {
    return source->query("SELECT count(*) FROM sqlite_master", ExitCode::kBackupFailed);
  });
  if (!tables) return failed(tables.error().message);
  if (*tables == "0") return std::nullopt;

  const std::string parent = std::filesystem::path(path).parent_path().string();
  const std::string directory = backup.dir.empty() ? parent : backup.dir;
  if (auto made = make_directories(directory, 0770, owner_of(path)); !made) return failed(made.error().message);
  const BackupNames names(path);
  // Left by those who were killed; whoever holds the lock is alone.
  for (const auto& name : entries(directory)) {
    if (names.is_partial(name)) ::unlink((directory + "/" + name).c_str());
  }
  if (auto space = check_space(*source, directory); !space) return tl::unexpected(space.error());
  const PartialFile partial(directory + "/" + names.partial(std::to_string(::getpid())));
  auto done = create_private(partial.path());
  if (done) done = copy(*source, partial.path(), busy_timeout);
  if (done) done = read_back(*source, partial.path(), busy_timeout);
  if (done) done = dress(partial.path(), path);
  if (!done) return tl::unexpected(done.error());
  auto made = publish(partial.path(), directory, names);
  if (!made) return tl::unexpected(made.error());
  prune(directory, names, backup.keep, *made, report);
  return directory + "/" + *made;
}

}  // namespace slipway::database::sqlite
