// Every refusal: the exit code, words that name the reason and the way out, and contents that stay as they were.

#include <filesystem>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/postgres/binaries.hpp"
#include "database/postgres/cluster.hpp"
#include "database/postgres/os_identity.hpp"
#include "database/postgres/postmaster_pid.hpp"
#include "local_cluster.hpp"

namespace slipway::database::postgres::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string installed_major() { return std::to_string(find_binaries("auto", "postgres", 0)->major); }

class Refusal : public ::testing::Test {
 protected:
  /// Something that looks like a cluster, without the cost of making one.
  void make_cluster(const std::string& version = installed_major()) {
    make_directory();
    fs::create_directory(data() + "/global");
    write_text(data() + "/global/pg_control", "control", 0600);
    write_text(data() + "/PG_VERSION", version + "\n", 0600);
    own();
  }
  void make_directory() {
    fs::create_directories(data());
    ASSERT_EQ(chmod(data().c_str(), 0700), 0);
    own();
  }
  void own() {
    const auto postgres = cluster_identity("postgres");
    ASSERT_TRUE(postgres) << postgres.error().message;
    for (const auto& entry : fs::recursive_directory_iterator(data())) {
      ASSERT_EQ(chown(entry.path().c_str(), postgres->uid, postgres->gid), 0);
    }
    ASSERT_EQ(chown(data().c_str(), postgres->uid, postgres->gid), 0);
  }
  void expect_refused(const ::testing::Matcher<const std::string&>& message,
                      ExitCode code = ExitCode::kClusterRefused) {
    const auto before = fingerprint(cluster.root());
    const auto result = cluster.initialise();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, message);
    const auto server = run_server(cluster.configuration, cluster.database, {});
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, code) << server.error().message;
    EXPECT_EQ(fingerprint(cluster.root()), before);
  }
  [[nodiscard]] const std::string& data() const { return cluster.data_dir(); }
  LocalCluster cluster;
};

TEST_F(Refusal, AnotherMajorVersionNamesBothAndTheWayOut) {
  make_cluster("13");
  expect_refused(AllOf(HasSubstr("PostgreSQL 13"), HasSubstr("pg_upgrade")));
}

TEST_F(Refusal, AVersionThatIsNone) {
  make_cluster("banana");
  expect_refused(HasSubstr("PG_VERSION"));
}

TEST_F(Refusal, AnotherOwner) {
  make_cluster();
  ASSERT_EQ(chown(data().c_str(), 12345, 12345), 0);
  expect_refused(AllOf(HasSubstr("uid 12345"), HasSubstr("chown")));
}

TEST_F(Refusal, AModeThatOthersCanRead) {
  make_cluster();
  ASSERT_EQ(chmod(data().c_str(), 0755), 0);
  expect_refused(AllOf(HasSubstr("0755"), HasSubstr("chmod")));
}

TEST_F(Refusal, LostAndFound) {
  make_directory();
  fs::create_directory(data() + "/lost+found");
  expect_refused(AllOf(HasSubstr("lost+found"), HasSubstr("/pgdata")));
}

TEST_F(Refusal, UnknownFilesAreNamed) {
  make_directory();
  write_text(data() + "/holiday.jpg", "x");
  write_text(data() + "/ü\n.txt", "x");
  expect_refused(HasSubstr("holiday.jpg"));
}

TEST_F(Refusal, ADamagedCluster) {
  make_cluster();
  fs::remove(data() + "/global/pg_control");
  expect_refused(HasSubstr("pg_control"));
}

TEST_F(Refusal, AFile) {
  write_text(data(), "not a directory");
  expect_refused(HasSubstr("not a directory"));
}

TEST_F(Refusal, ALoopOfLinks) {
  fs::create_symlink(data(), cluster.root() + "/other");
  fs::create_symlink(cluster.root() + "/other", data());
  expect_refused(HasSubstr("cannot be"));
}

TEST_F(Refusal, ADanglingLink) {
  fs::create_symlink(cluster.root() + "/nowhere", data());
  const auto before = fingerprint(cluster.root());
  const auto result = run_server(cluster.configuration, cluster.database, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kClusterRefused);
  EXPECT_EQ(fingerprint(cluster.root()), before);
}

TEST_F(Refusal, ARelativePath) {
  cluster.configuration.database.postgres.cluster.data_dir = "data";
  expect_refused(HasSubstr("absolute"), ExitCode::kConfiguration);
}

TEST_F(Refusal, ARecordFromTheFuture) {
  make_cluster();
  write_text(data() + "/slipway.state", "stage=quantum\n", 0600);
  own();
  expect_refused(HasSubstr("slipway.state"));
}

TEST_F(Refusal, InterruptedScriptsOnWhichAnotherServerRan) {
  make_cluster();
  write_text(data() + "/slipway.state", "stage=init-scripts\n", 0600);
  write_text(data() + "/postmaster.opts", "/usr/bin/postgres \"-D\" \"/somewhere\"\n", 0600);
  own();
  const auto before = fingerprint(cluster.root());
  const auto result = cluster.initialise();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kClusterRefused);
  EXPECT_THAT(result.error().message, HasSubstr("another server has used it"));
  EXPECT_EQ(fingerprint(cluster.root()), before);
}

/// Somebody copied a cluster into the directory of a removal that had been interrupted.
TEST_F(Refusal, AnInterruptedRemovalIntoWhichAClusterWasPut) {
  make_cluster();
  write_text(data() + "/slipway.state", "stage=discarding\n", 0600);
  own();
  const auto before = fingerprint(cluster.root());
  const auto result = cluster.initialise();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kClusterRefused);
  EXPECT_EQ(fingerprint(cluster.root()), before);
}

TEST_F(Refusal, AConflictWithAnInterruptedMove) {
  make_directory();
  fs::create_directories(data() + "/slipway-incoming/global");
  write_text(data() + "/slipway-incoming/PG_VERSION", "15\n", 0600);
  write_text(data() + "/global", "somebody's file");
  own();
  const auto before = fingerprint(cluster.root());
  const auto result = cluster.initialise();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kClusterRefused);
  EXPECT_EQ(fingerprint(cluster.root()), before);
}

TEST_F(Refusal, AnOsUserThatDoesNotExistAndRoot) {
  cluster.configuration.database.postgres.cluster.os_user = "nobody-knows-me";
  expect_refused(HasSubstr("nobody-knows-me"), ExitCode::kConfiguration);
  cluster.configuration.database.postgres.cluster.os_user = "root";
  expect_refused(HasSubstr("root"), ExitCode::kConfiguration);
}

TEST_F(Refusal, AnEmptyDirectoryOfSomebodyElse) {
  fs::create_directories(data());
  ASSERT_EQ(chmod(data().c_str(), 01777), 0);  // as in the official image
  const auto before = fingerprint(cluster.root());
  const int code = in_child([&] {
    if (setgid(54321) != 0 || setuid(54321) != 0) return 1;
    const auto result = cluster.initialise();
    if (result) return 2;
    return result.error().message.find("chown it to uid 54321") == std::string::npos
               ? 3
               : static_cast<int>(result.error().code);
  });
  EXPECT_EQ(code, static_cast<int>(ExitCode::kClusterRefused));
  EXPECT_EQ(fingerprint(cluster.root()), before);
}

TEST_F(Refusal, AVersionThatIsNotInstalled) {
  cluster.configuration.database.postgres.cluster.bin_dir = "9";
  const auto result = cluster.initialise();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("version 9"));
}

TEST_F(Refusal, AnArgumentOfInitdbThatSlipwayOwns) {
  for (const auto* argument : {"--pgdata=/x", "-D/x", "--usern=me", "--waldir=/x", "-Xx"}) {
    cluster.configuration.database.postgres.cluster.initdb_args = {argument};
    const auto result = cluster.initialise();
    ASSERT_FALSE(result) << argument;
    EXPECT_EQ(result.error().code, ExitCode::kConfiguration) << argument;
    EXPECT_FALSE(fs::exists(data()));
  }
}

TEST_F(Refusal, AFailingInitdbLeavesNothingAndGivesItsReason) {
  cluster.configuration.database.postgres.cluster.initdb_args = {"--locale=xx_YY.nonsense"};
  const auto result = cluster.initialise();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("locale"));
  EXPECT_FALSE(fs::exists(data()));
  EXPECT_FALSE(fs::exists(data() + ".slipway-staging"));
}

TEST(PostmasterPid, KeepsTheFileOfAFreePidForPostgresql) {
  TemporaryDirectory directory;
  const pid_t gone = start_child([] { return 0; });
  ASSERT_EQ(wait_child(gone), 0);
  const auto text = std::to_string(gone) + "\n/data\n";
  write_text(directory.path() + "/postmaster.pid", text);
  const auto taken = take_over_postmaster_pid(directory.path(), {});
  ASSERT_TRUE(taken);
  EXPECT_FALSE(*taken);
  EXPECT_EQ(read_text(directory.path() + "/postmaster.pid"), text);
}

TEST(PostmasterPid, RemovesOneWithoutAPid) {
  TemporaryDirectory directory;
  for (const auto& text : {std::string(), std::string("garbage")}) {
    write_text(directory.path() + "/postmaster.pid", text);
    EXPECT_TRUE(take_over_postmaster_pid(directory.path(), {}).value()) << text;
    EXPECT_FALSE(fs::exists(directory.path() + "/postmaster.pid"));
  }
}

TEST(PostmasterPid, LetsPostgresqlLookForTheOldSharedMemoryWhenAnotherProgramHasThePid) {
  TemporaryDirectory directory;
  write_text(directory.path() + "/postmaster.pid", std::to_string(getppid()) + "\n/data\n1\n5432\n\n\n 42 7\n");
  EXPECT_TRUE(refuse_running_server(directory.path()));
  EXPECT_TRUE(take_over_postmaster_pid(directory.path(), {}).value());
  EXPECT_EQ(read_text(directory.path() + "/postmaster.pid"),
            std::to_string(getpid()) + "\n/data\n1\n5432\n\n\n 42 7\n");
}

}  // namespace
}  // namespace slipway::database::postgres::testing
