#include "database/postgres/init_scripts.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/durable_file.hpp"
#include "local_cluster.hpp"

namespace slipway::database::postgres::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class InitScripts : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(scripts()); }
  [[nodiscard]] std::string scripts() const { return cluster.root() + "/scripts"; }
  void add(const std::string& name, const std::string& text, mode_t mode = 0644) {
    write_text(scripts() + "/" + name, text, mode);
  }
  std::string ask(const std::string& sql) {
    auto connection = cluster.connect();
    if (!connection) return connection.error().error.message;
    auto rows = connection->query(sql);
    return rows ? rows->value() : rows.error().message;
  }
  LocalCluster cluster;
};

/// It has the directory open, and keeps on trying.
bool waits_for_lock(pid_t pid, const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    if (fs::read_symlink(entry.path(), error) == directory) return true;
  }
  return false;
}

TEST_F(InitScripts, RunInNameOrderOnceAndOwnedByTheApplication) {
  cluster.database.user = "App \"User\"";
  add("10-table.sql", "CREATE TABLE log (id serial, word text); INSERT INTO log (word) VALUES ('sql');");
  add("20 spaced 'name'.sh",
      "#!/bin/sh\npsql -v ON_ERROR_STOP=1 --username \"$POSTGRES_USER\" --dbname \"$POSTGRES_DB\" "
      "-c \"INSERT INTO log (word) VALUES ('exec')\"\n",
      0755);
  add("30-sourced.sh", "docker_process_sql -c \"INSERT INTO log (word) VALUES ('sourced')\"\n");
  add("40.sql", "INSERT INTO log (word) VALUES ('gz');");
  add("50.sql", "INSERT INTO log (word) VALUES ('xz');");
  add("60.sql", "INSERT INTO log (word) VALUES ('zst');");
  const auto quoted = "'" + scripts() + "'/";
  ASSERT_EQ(std::system(
                ("gzip " + quoted + "40.sql && xz " + quoted + "50.sql && zstd -q --rm " + quoted + "60.sql").c_str()),
            0);
  add("70-notes.txt", "not a script");
  add("80-role.sql", "CREATE ROLE reporter; CREATE DATABASE other; CREATE EXTENSION pg_trgm;");
  auto booted = cluster.boot();
  ASSERT_TRUE(booted) << booted.error().message;
  EXPECT_EQ(ask("SELECT string_agg(word, ' ' ORDER BY id) FROM log"), "sql exec sourced gz xz zst");
  EXPECT_EQ(ask("SELECT tableowner FROM pg_tables WHERE tablename = 'log'"), cluster.database.user);
  EXPECT_EQ(ask("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "f");
  EXPECT_TRUE(cluster.said("70-notes.txt: ignored"));
  cluster.stop();
  ASSERT_TRUE(cluster.boot());
  EXPECT_EQ(ask("SELECT count(*) FROM log"), "6");
}

TEST_F(InitScripts, AFailureIsNamedAndTheNextBootBeginsAfresh) {
  add("1-good.sql", "CREATE TABLE half (n int);");
  add("2-bad.sql", "CREATE TABLE whole (n int); SELECT 1/0;");
  const auto failed = cluster.boot();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ExitCode::kClusterRefused);
  EXPECT_THAT(failed.error().message, HasSubstr("2-bad.sql"));
  EXPECT_THAT(failed.error().message, HasSubstr("division by zero"));
  EXPECT_FALSE(cluster.connect());
  const auto again = cluster.prepare();
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("interrupted"));
  cluster.stop();
  add("2-bad.sql", "CREATE TABLE whole (n int);");
  auto booted = cluster.boot();
  ASSERT_TRUE(booted) << booted.error().message;
  EXPECT_TRUE(cluster.said("building the cluster again"));
  EXPECT_EQ(ask("SELECT count(*) FROM pg_tables WHERE tablename IN ('half', 'whole')"), "2");
}

TEST_F(InitScripts, AKillInTheMiddleIsNoticed) {
  add("1.sql", "CREATE TABLE half (n int);");
  add("2.sh", "touch \"$PGDATA/reached\"; read -r line < \"$PGDATA/never\"\n");
  ASSERT_TRUE(cluster.initialise());
  cluster.start();
  ASSERT_EQ(
      std::system(
          ("mkfifo '" + cluster.data_dir() + "/never' && chown postgres '" + cluster.data_dir() + "/never'").c_str()),
      0);
  const pid_t preparing = start_child([&] { return cluster.prepare() ? 0 : 1; });
  ASSERT_TRUE(eventually([&] { return fs::exists(cluster.data_dir() + "/reached"); }));
  ::kill(preparing, SIGKILL);
  wait_child(preparing);
  cluster.kill();
  add("2.sh", "true\n");
  auto booted = cluster.boot();
  ASSERT_TRUE(booted) << booted.error().message;
  EXPECT_EQ(ask("SELECT count(*) FROM half"), "0");
  EXPECT_FALSE(fs::exists(cluster.data_dir() + "/reached"));
}

/// Two containers share the volume: while the second waits for the lock, the first finishes its scripts and serves.
TEST_F(InitScripts, AClusterThatWasFinishedMeanwhileIsKept) {
  ASSERT_TRUE(cluster.boot());
  ASSERT_TRUE(cluster.connect()->execute("CREATE TABLE precious (n int)"));
  cluster.stop();
  const auto record = cluster.data_dir() + "/slipway.state";
  write_text(record, "stage=init-scripts\n", 0600);
  pid_t second = -1;
  {
    auto held = lock_directory(cluster.data_dir(), 0);
    ASSERT_TRUE(held);
    second = start_child([&] {
      *held = Descriptor();  // the fork shares the lock; the second container would not
      write_text(cluster.root() + "/started", "");
      return cluster.initialise() ? 0 : 1;
    });
    ASSERT_TRUE(eventually([&] { return fs::exists(cluster.root() + "/started"); }));
    ASSERT_TRUE(eventually([&] { return waits_for_lock(second, cluster.data_dir()); }));
    write_text(record, "stage=complete\n", 0600);
  }
  EXPECT_EQ(wait_child(second), 0);
  ASSERT_TRUE(cluster.boot());
  EXPECT_EQ(ask("SELECT count(*) FROM precious"), "0");
}

/// Slipway made the cluster but had not prepared it when another server took it over.
TEST_F(InitScripts, NeverRunOverWhatAnotherServerDid) {
  add("1.sql", "SELECT 1/0;");
  ASSERT_TRUE(cluster.initialise());
  const auto options = cluster.data_dir() + "/postmaster.opts";
  write_text(options, "/usr/bin/postgres \"-D\" \"/somewhere\"\n", 0600);
  struct stat status{};
  ASSERT_EQ(stat(cluster.data_dir().c_str(), &status), 0);
  ASSERT_EQ(chown(options.c_str(), status.st_uid, status.st_gid), 0);
  const auto booted = cluster.boot();
  ASSERT_TRUE(booted) << booted.error().message;
  EXPECT_TRUE(cluster.said("another server has used this cluster"));
  EXPECT_EQ(read_text(cluster.data_dir() + "/slipway.state"), "stage=complete\n");
}

TEST(FindInitScripts, SortsByNameAndLeavesOutDirectoriesAndHiddenFiles) {
  TemporaryDirectory directory;
  for (const auto* name : {"b.sql", "a.sh", "c.sql.gz", "Z.sql.xz", ".hidden.sql", "d.sql.zst", "e.md"}) {
    write_text(directory.path() + "/" + name, "");
  }
  fs::create_directory(directory.path() + "/f.sql");
  const auto scripts = find_init_scripts(directory.path());
  ASSERT_TRUE(scripts);
  std::string names;
  for (const auto& script : *scripts) names += fs::path(script.path).filename().string() + " ";
  EXPECT_EQ(names, "Z.sql.xz a.sh b.sql c.sql.gz d.sql.zst e.md ");
  EXPECT_EQ(scripts->at(1).kind, ScriptKind::kSourced);
  EXPECT_TRUE(find_init_scripts(directory.path() + "/absent")->empty());
}

}  // namespace
}  // namespace slipway::database::postgres::testing
