#include "database/sqlite/backup.hpp"

#include <gmock/gmock.h>
#include <random>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/backup_names.hpp"
#include "database/sqlite/connection.hpp"
#include "database/sqlite/file_lock.hpp"
#include "database/temporary_directory.hpp"

namespace slipway::database::sqlite {
namespace {

using ::testing::HasSubstr;
using testing::names;
using ::testing::SizeIs;
using testing::TemporaryDirectory;
constexpr auto kBusy = std::chrono::seconds(5);

Connection filled(const std::string& path, int rows) {
  auto connection = Connection::open(path, Access::kCreate, kBusy);
  EXPECT_TRUE(connection->execute("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x);"));
  EXPECT_TRUE(connection->execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT " +
                                  std::to_string(rows) + ") INSERT INTO t SELECT randomblob(200) FROM n"));
  return std::move(*connection);
}

std::string rows(const std::string& path) {
  auto connection = Connection::open(path, Access::kReadOnly, kBusy);
  return connection ? connection->query("SELECT count(*) FROM t").value_or("unreadable") : "not opened";
}

TEST(SqliteBackup, KeepsRowsThatAreOnlyInTheWal) {
  const TemporaryDirectory root;
  const std::string path = root.file("a b?#%.db");
  auto writer = filled(path, 500);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const auto backup = backup_before_migration(path, {}, kBusy, {});
  ASSERT_TRUE(backup) << backup.error().message;
  ASSERT_TRUE(*backup);
  EXPECT_THAT(**backup, ::testing::ContainsRegex("/a b\\?#%\\.pre-migrate-[0-9]{8}T[0-9]{6}Z\\.db$"));
  EXPECT_EQ(rows(**backup), "500");
  struct stat status{};
  ASSERT_EQ(::stat((*backup)->c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_THAT(names(root.path(), "pre-migrate"), SizeIs(1)) << "no sidecars, no temporary files";
}

TEST(SqliteBackup, NothingToSave) {
  const TemporaryDirectory root;
  EXPECT_EQ(*backup_before_migration(root.file("none.db"), {}, kBusy, {}), std::nullopt);
  testing::write_text(root.file("empty.db"), "");
  EXPECT_EQ(*backup_before_migration(root.file("empty.db"), {}, kBusy, {}), std::nullopt);
}

TEST(SqliteBackup, KeepsTheNewestAndNumbersCollisions) {
  const TemporaryDirectory root;
  auto writer = filled(root.file("app.db"), 1);
  testing::write_text(root.file("app.pre-migrate-notes.db"), "keep me");
  testing::write_text(root.file("app.pre-migrate-20200101T000000Z.db"), "old");
  for (int i = 0; i < 7; ++i) {
    const auto made = backup_before_migration(root.file("app.db"), {}, kBusy, {});
    ASSERT_TRUE(made && *made);
    EXPECT_TRUE(std::filesystem::exists(**made)) << "the new one was removed";
  }
  EXPECT_THAT(names(root.path(), "pre-migrate-2"), SizeIs(5));
  EXPECT_FALSE(std::filesystem::exists(root.file("app.pre-migrate-20200101T000000Z.db")));
  EXPECT_TRUE(std::filesystem::exists(root.file("app.pre-migrate-notes.db")));
}

TEST(SqliteBackupNames, SortByTimeThenNumber) {
  const BackupNames app("/d/app.tar.db");
  EXPECT_THAT(app.backups({"app.tar.pre-migrate-20200101T000000Z-10.db", "app.tar.pre-migrate-20200101T000000Z-2.db",
                           "app.tar.pre-migrate-20200101T000000Z.db", "app.tar.pre-migrate-20190101T000000Z-3.db",
                           "app.tar.pre-migrate-20200101T000000Z-x.db", "app.pre-migrate-20200101T000000Z.db"}),
              ::testing::ElementsAre(
                  "app.tar.pre-migrate-20190101T000000Z-3.db", "app.tar.pre-migrate-20200101T000000Z.db",
                  "app.tar.pre-migrate-20200101T000000Z-2.db", "app.tar.pre-migrate-20200101T000000Z-10.db"));
  EXPECT_EQ(app.name({}, 2), "app.tar.pre-migrate-19700101T000000Z-2.db");
  EXPECT_EQ(BackupNames("/d/app").name({}, 0), "app.pre-migrate-19700101T000000Z");
}

TEST(SqliteBackupNames, ANewOneIsTheNewestOfItsSecondThoughALowerNumberIsFree) {
  const BackupNames app("/d/app.db");
  EXPECT_EQ(app.next_collision({}, {}), 0U);
  EXPECT_EQ(app.next_collision({}, {"app.pre-migrate-20200101T000000Z-4.db"}), 0U);
  EXPECT_EQ(app.next_collision({}, {"app.pre-migrate-19700101T000000Z.db"}), 1U);
  EXPECT_EQ(app.next_collision({}, {"app.pre-migrate-19700101T000000Z-1.db", "app.pre-migrate-19700101T000000Z-10.db"}),
            11U);
}

TEST(SqliteBackupNames, TheOneJustMadeIsNeverSurplusEvenWhenTheClockWasSetBack) {
  const BackupNames app("/d/app.db");
  const std::vector<std::string> found{"app.pre-migrate-20300101T000000Z.db", "app.pre-migrate-20300102T000000Z.db",
                                       "app.pre-migrate-19700101T000000Z.db"};
  EXPECT_THAT(app.surplus(found, 2, "app.pre-migrate-19700101T000000Z.db"),
              ::testing::ElementsAre("app.pre-migrate-20300101T000000Z.db"));
  EXPECT_THAT(app.surplus(found, 1, "app.pre-migrate-19700101T000000Z.db"), SizeIs(2));
  EXPECT_THAT(app.surplus(found, 0, "app.pre-migrate-19700101T000000Z.db"), SizeIs(0));
  EXPECT_THAT(app.surplus(found, 9, "app.pre-migrate-19700101T000000Z.db"), SizeIs(0));
}

TEST(SqliteBackup, FullDiskIsRefusedBeforeItStarts) {
  ASSERT_EQ(::geteuid(), 0U) << "this test mounts a small file system";
  const TemporaryDirectory root;
  std::filesystem::create_directory(root.file("small"));
  ASSERT_EQ(::mount("tmpfs", root.file("small").c_str(), "tmpfs", 0, "size=256k"), 0);
  auto writer = filled(root.file("app.db"), 20000);
  config::Backup settings;
  settings.dir = root.file("small");
  const auto backup = backup_before_migration(root.file("app.db"), settings, kBusy, {});
  EXPECT_THAT(names(settings.dir, ""), SizeIs(0));
  ::umount(root.file("small").c_str());
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().code, ExitCode::kBackupFailed);
  EXPECT_THAT(backup.error().message, HasSubstr("KiB are free"));
}

TEST(SqliteBackup, KilledAtAnyInstantLeavesNoHalfBackup) {
  const TemporaryDirectory root;
  const std::string path = root.file("app.db");
  auto writer = filled(path, 20000);
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int i = 0; i < 20; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      static_cast<void>(backup_before_migration(path, {}, kBusy, {}));
      ::_exit(0);
    }
    // The instant is the point here, so time itself is the condition.
    timespec pause{0, std::uniform_int_distribution<long>(0, 30'000'000)(random)};
    ::nanosleep(&pause, nullptr);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    for (const auto& name : names(root.path(), "app.pre-migrate-")) {
      if (name.front() != '.') {
        EXPECT_EQ(rows(root.file(name)), "20000") << name << ", seed " << seed;
      }
    }
  }
  ASSERT_TRUE(backup_before_migration(path, {}, kBusy, {}));
  EXPECT_THAT(names(root.path(), ".partial"), SizeIs(0)) << "the next one cleans up";
}

TEST(SqliteLock, TimeoutNamesTheHolder) {
  const TemporaryDirectory root;
  const auto held = FileLock::acquire(root.file("app.db"), std::chrono::seconds(1), {});
  ASSERT_TRUE(held);
  std::string said;
  const auto second = FileLock::acquire(root.file("app.db"), std::chrono::milliseconds(50),
                                        [&](const std::string& line) { said += line; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ExitCode::kLockTimeout);
  EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_THAT(said, HasSubstr("waiting for the migration lock"));
}

TEST(SqliteLock, ASymbolicLinkIsTheSameDatabase) {
  const TemporaryDirectory root;
  testing::write_text(root.file("app.db"), "");
  std::filesystem::create_symlink(root.file("app.db"), root.file("link.db"));
  EXPECT_EQ(lock_path(root.file("link.db")), lock_path(root.file("app.db")));
}

TEST(SqliteLock, ACrashReleasesItUnlessAChildStillWorks) {
  const TemporaryDirectory root;
  int alive[2];
  ASSERT_EQ(::pipe(alive), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto held = FileLock::acquire(root.file("app.db"), std::chrono::seconds(1), {});
    if (::fork() == 0) {
      ::close(alive[1]);
      char byte = 0;
      ::_exit(static_cast<int>(::read(alive[0], &byte, 1)));
    }
    ::raise(SIGKILL);
  }
  ::close(alive[0]);
  ::waitpid(holder, nullptr, 0);
  EXPECT_FALSE(FileLock::acquire(root.file("app.db"), std::chrono::milliseconds(20), {})) << "the child still works";
  ::close(alive[1]);
  EXPECT_TRUE(FileLock::acquire(root.file("app.db"), std::chrono::seconds(10), {}));
}

}  // namespace
}  // namespace slipway::database::sqlite
