#include "database/sqlite/prepare.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "database/sqlite/connection.hpp"
#include "database/sqlite/file_system.hpp"
#include "database/temporary_directory.hpp"

namespace slipway::database::sqlite {
namespace {

using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryDirectory;
using testing::write_text;

host::Identity self() { return *host::resolve_identity("", "", {}); }

std::string refusal(const std::string& path, ExitCode code = ExitCode::kClusterRefused,
                    const host::Identity& owner = self()) {
  const auto done = prepare(path, {}, owner, {});
  if (done) return "accepted";
  EXPECT_EQ(done.error().code, code) << done.error().message;
  return done.error().message;
}

std::string journal_mode(const std::string& path) {
  return *Connection::open(path, Access::kReadWrite, std::chrono::seconds(5))->query("PRAGMA journal_mode");
}

TEST(SqlitePrepare, CreatesDirectoriesAndAFileInWalMode) {
  const TemporaryDirectory root;
  const std::string path = root.file("a/b/app.db");
  ASSERT_TRUE(prepare(path, {}, self(), {}));
  EXPECT_EQ(journal_mode(path), "wal");
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0660U);
  EXPECT_TRUE(prepare(path, {}, self(), {})) << "safe to repeat";
}

TEST(SqlitePrepare, OtherJournalModesAreSet) {
  const TemporaryDirectory root;
  config::SqliteDatabase settings;
  settings.journal_mode = config::JournalMode::kDelete;
  ASSERT_TRUE(prepare(root.file("a.db"), settings, self(), {}));
  EXPECT_EQ(journal_mode(root.file("a.db")), "delete");
}

TEST(SqlitePrepare, HostileNamesAreOnlyNames) {
  const TemporaryDirectory root;
  for (const char* name :
       {"a?mode=memory", "a#b.db", "100%.db", "file:x.db", "a b'\".db", "\u00e9.db", "-x", "%2e.db"}) {
    ASSERT_TRUE(prepare(root.file(name), {}, self(), {})) << name;
    EXPECT_TRUE(std::filesystem::is_regular_file(root.file(name))) << name;
  }
}

TEST(SqlitePrepare, WhatIsNoDatabaseIsRefusedUntouched) {
  const TemporaryDirectory root;
  std::filesystem::create_directory(root.file("dir"));
  EXPECT_THAT(refusal(root.file("dir")), HasSubstr("is a directory"));
  write_text(root.file("text"), "these are notes, not a database");
  EXPECT_THAT(refusal(root.file("text")), HasSubstr("not an SQLite database"));
  EXPECT_EQ(read_text(root.file("text")), "these are notes, not a database");
  ASSERT_EQ(::mkfifo(root.file("fifo").c_str(), 0600), 0);
  EXPECT_THAT(refusal(root.file("fifo")), HasSubstr("not a plain file"));
  std::filesystem::create_symlink("/nowhere/x", root.file("link"));
  EXPECT_THAT(refusal(root.file("link")), HasSubstr("leads nowhere"));
  write_text(root.file("file"), "");
  EXPECT_THAT(refusal(root.file("file/app.db")), HasSubstr("cannot create the directory"));
}

TEST(SqlitePrepare, CorruptDatabaseIsRefusedUntouched) {
  const TemporaryDirectory root;
  const std::string path = root.file("app.db");
  {
    auto connection = Connection::open(path, Access::kCreate, std::chrono::seconds(1));
    ASSERT_TRUE(
        connection->execute("CREATE TABLE t(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                            "LIMIT 5000) INSERT INTO t SELECT hex(randomblob(20)) FROM n; CREATE INDEX i ON t(x)"));
  }
  std::string bytes = read_text(path);
  for (std::size_t i = 8192; i < 8192 + 600; ++i) bytes[i] = '\xff';
  write_text(path, bytes);
  EXPECT_THAT(refusal(path), HasSubstr(path));
  EXPECT_EQ(read_text(path), bytes);
  config::SqliteDatabase settings;
  settings.startup_check = config::StartupCheck::kOff;
  EXPECT_TRUE(prepare(path, settings, self(), {})) << "the operator may insist";
}

TEST(SqlitePrepare, AnotherUserOwnsWhatIsCreatedAndMeetsItsOwnLimits) {
  ASSERT_EQ(::geteuid(), 0U) << "this test changes users";
  const TemporaryDirectory root;
  ASSERT_EQ(::chmod(root.path().c_str(), 0755), 0);
  const auto nobody = *host::resolve_identity("nobody", "", {});
  ASSERT_TRUE(prepare(root.file("data/app.db"), {}, nobody, {}));
  struct stat status{};
  ASSERT_EQ(::stat(root.file("data/app.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, nobody.uid);
  EXPECT_EQ(status.st_gid, nobody.gid);
  EXPECT_EQ(::geteuid(), 0U);
  EXPECT_THAT(refusal(root.file("app.db"), ExitCode::kPermission, nobody), HasSubstr("nobody"));
  ASSERT_TRUE(prepare(root.file("mine.db"), {}, self(), {}));
  EXPECT_THAT(refusal(root.file("mine.db"), ExitCode::kPermission, nobody), HasSubstr("may not write here"));
}

TEST(SqliteFileSystem, NetworkFileSystemsAreNotForWal) {
  EXPECT_EQ(unsuitable_for_wal(0x6969, ""), "NFS");
  EXPECT_EQ(unsuitable_for_wal(0xFE534D42, ""), "SMB2");
  EXPECT_EQ(unsuitable_for_wal(0x01021997, ""), "9p");
  EXPECT_EQ(unsuitable_for_wal(0x65735546, "fuse.sshfs"), "fuse.sshfs");
  EXPECT_EQ(unsuitable_for_wal(0x65735546, "fuse.fuse-overlayfs"), std::nullopt);
  EXPECT_EQ(unsuitable_for_wal(0xEF53, "ext4"), std::nullopt);
}

TEST(SqliteFileSystem, FindsTheMountThatHoldsAPath) {
  const std::string table =
      "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:50 / /data rw shared:1 - fuse.sshfs host:/x rw\n"
      "31 22 0:51 / /data/a\\040b rw - tmpfs tmpfs rw\n";
  EXPECT_EQ(mount_type(table, "/data/x"), "fuse.sshfs");
  EXPECT_EQ(mount_type(table, "/database"), "ext4");
  EXPECT_EQ(mount_type(table, "/data/a b/c"), "tmpfs");
}

}  // namespace
}  // namespace slipway::database::sqlite
