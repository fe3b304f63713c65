// No cluster or a whole one, whatever the instant of the kill and wherever the data directory is.

#include "database/postgres/staging.hpp"

#include <cstdlib>
#include <filesystem>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/init_record.hpp"
#include "local_cluster.hpp"

namespace slipway::database::postgres::testing {
namespace {

namespace fs = std::filesystem;

/// Kills a forked initialise_cluster() after `delay` and returns whether it was still running.
bool kill_after(LocalCluster& cluster, std::chrono::milliseconds delay) {
  const pid_t pid = start_child([&] { return cluster.initialise() ? 0 : 1; });
  poll(nullptr, 0, static_cast<int>(delay.count()));
  ::kill(pid, SIGKILL);
  return wait_child(pid) == 128 + SIGKILL;
}

std::string problem_of(LocalCluster& cluster) {
  if (auto booted = cluster.boot(); !booted) return booted.error().message;
  auto connection = cluster.connect();
  if (!connection) return connection.error().error.message;
  if (cluster.stop() != 0) return "the server did not stop cleanly";
  for (const auto* leftover : {"/slipway-staging", "/slipway-incoming", ".slipway-staging"}) {
    if (fs::exists(cluster.data_dir() + leftover)) return std::string("left over: ") + leftover;
  }
  return {};
}

TEST(Staging, SurvivesAKillAtManyInstants) {
  int killed = 0;
  for (int i = 0; i < 12; ++i) {
    LocalCluster cluster;
    killed += kill_after(cluster, std::chrono::milliseconds(2 + i * 55)) ? 1 : 0;
    if (fs::exists(cluster.data_dir())) {
      EXPECT_TRUE(fs::exists(cluster.data_dir() + "/PG_VERSION")) << "a half cluster at instant " << i;
    }
    ASSERT_EQ(problem_of(cluster), "") << "instant " << i;
  }
  EXPECT_GT(killed, 3);
}

TEST(Staging, SurvivesRepeatedKillsOfOneCluster) {
  LocalCluster cluster;
  for (const int delay : {150, 40, 300, 5, 90}) kill_after(cluster, std::chrono::milliseconds(delay));
  ASSERT_EQ(problem_of(cluster), "");
}

/// Gives this process its own mount namespace and a tmpfs on the data directory. Returns an empty text or the reason.
std::string mount_data(const LocalCluster& cluster) {
  fs::create_directories(cluster.data_dir());
  if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", cluster.data_dir().c_str(), "tmpfs", 0, "size=200m,mode=0755") != 0) {
    return "cannot mount";
  }
  return {};
}

TEST(Staging, InitialisesAMountPointInsideItAfterKills) {
  LocalCluster cluster;
  const int code = in_child([&] {
    if (!mount_data(cluster).empty()) return 10;
    for (const int delay : {30, 200, 400}) kill_after(cluster, std::chrono::milliseconds(delay));
    const auto problem = problem_of(cluster);
    if (!problem.empty()) std::fprintf(stderr, "%s\n", problem.c_str());
    return problem.empty() ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

TEST(Staging, InitialisesInsideWhereTheParentIsNotWritable) {
  LocalCluster cluster;
  const uid_t uid = 1000;
  fs::create_directories(cluster.data_dir());
  fs::create_directories(cluster.root() + "/run");
  for (const auto* name : {"/data", "/run"}) ASSERT_EQ(chown((cluster.root() + name).c_str(), uid, uid), 0);
  const int code = in_child([&] {
    if (setgid(uid) != 0 || setuid(uid) != 0) return 10;
    const auto problem = problem_of(cluster);
    if (!problem.empty()) std::fprintf(stderr, "%s\n", problem.c_str());
    return problem.empty() ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
}

/// A move up, interrupted after each of its steps in turn, is finished by the next boot.
TEST(Staging, FinishesAnInterruptedMoveFromEveryStep) {
  LocalCluster original;
  ASSERT_TRUE(original.initialise());
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(original.data_dir())) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  for (std::size_t moved = 0; moved <= names.size(); moved += 4) {
    const auto incoming = original.data_dir() + "/slipway-incoming";
    fs::create_directory(incoming);
    std::size_t left_up = 0;
    for (const auto& name : names) {
      if (name != "PG_VERSION" && left_up++ < moved) continue;
      fs::rename(original.data_dir() + "/" + name, incoming + "/" + name);
    }
    auto finished = original.initialise();
    ASSERT_TRUE(finished) << moved << ": " << finished.error().message;
    EXPECT_FALSE(fs::exists(incoming));
    for (const auto& name : names) EXPECT_TRUE(fs::exists(original.data_dir() + "/" + name)) << name;
  }
  ASSERT_EQ(problem_of(original), "");
}

TEST(Staging, AContinuedDiscardEndsInANewCluster) {
  LocalCluster cluster;
  ASSERT_TRUE(cluster.initialise());
  write_text(cluster.data_dir() + "/slipway.state", "stage=discarding\n", 0600);
  write_text(cluster.data_dir() + "/postmaster.opts", "postgres -c slipway.managed=on\n", 0600);
  fs::remove_all(cluster.data_dir() + "/base");
  ASSERT_EQ(problem_of(cluster), "");
  // A kill after PG_VERSION, and one when the proof has gone too.
  for (const char* gone : {"/PG_VERSION", "/postmaster.opts"}) {
    write_text(cluster.data_dir() + "/slipway.state", "stage=discarding\n", 0600);
    write_text(cluster.data_dir() + "/postmaster.opts", "postgres -c slipway.managed=on\n", 0600);
    fs::remove(cluster.data_dir() + "/PG_VERSION");
    fs::remove(cluster.data_dir() + gone);
    ASSERT_EQ(problem_of(cluster), "") << gone;
  }
}

TEST(Staging, AdoptsAClusterOfAPlainInitdb) {
  LocalCluster cluster;
  ASSERT_TRUE(cluster.initialise());
  fs::remove(cluster.data_dir() + "/slipway.state");
  fs::create_directory(cluster.root() + "/scripts");
  write_text(cluster.root() + "/scripts/1.sql", "CREATE TABLE must_not_exist ();");
  ASSERT_TRUE(cluster.boot());
  auto connection = cluster.connect();
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->query("SELECT to_regclass('must_not_exist')")->value(), "");
}

TEST(Staging, TwoAtOnceMakeOneCluster) {
  LocalCluster cluster;
  const auto initialise = [&] {
    auto result = cluster.initialise();
    if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return result ? 0 : 1;
  };
  const pid_t first = start_child(initialise);
  const pid_t second = start_child(initialise);
  EXPECT_EQ(wait_child(first), 0);
  EXPECT_EQ(wait_child(second), 0);
  ASSERT_EQ(problem_of(cluster), "");
}

}  // namespace
}  // namespace slipway::database::postgres::testing
