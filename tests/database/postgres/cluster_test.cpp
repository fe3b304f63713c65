#include "database/postgres/cluster.hpp"

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/prepare.hpp"
#include "local_cluster.hpp"

namespace slipway::database::postgres::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

std::string ask(LocalCluster& cluster, const std::string& sql) {
  auto connection = cluster.connect();
  if (!connection) return "cannot connect: " + connection.error().error.message;
  auto rows = connection->query(sql);
  return rows ? rows->value() : rows.error().message;
}

#define ASSERT_OK(expression)                                    \
  do {                                                           \
    const auto& result_ = (expression);                          \
    ASSERT_TRUE(result_.has_value()) << result_.error().message; \
  } while (false)

TEST(LocalCluster, BootsColdThenWarmWithOneServerStartEach) {
  LocalCluster cluster;
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT current_user || '@' || current_database()"), "app@app");
  EXPECT_EQ(ask(cluster, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'app'"), "app");
  EXPECT_EQ(ask(cluster, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'app'"), "UTF8");
  EXPECT_EQ(ask(cluster, "SHOW data_checksums"), "on");
  {
    auto connection = cluster.connect();
    ASSERT_TRUE(connection);
    ASSERT_OK(connection->execute("CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)"));
  }
  EXPECT_EQ(cluster.stop(), 0);
  EXPECT_THAT(read_text(cluster.root() + "/server.log"), HasSubstr("fast shutdown"));
  EXPECT_THAT(read_text(cluster.root() + "/server.log"), HasSubstr("database system is shut down"));
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT n FROM kept"), "7");
  EXPECT_EQ(cluster.stop(), 0);
  std::string log = read_text(cluster.root() + "/server.log");
  int starts = 0;
  for (std::size_t at = log.find("starting PostgreSQL"); at != std::string::npos; ++starts) {
    at = log.find("starting PostgreSQL", at + 1);
  }
  EXPECT_EQ(starts, 2);
  EXPECT_FALSE(std::filesystem::exists(cluster.data_dir() + ".slipway-staging"));
}

TEST(LocalCluster, ResetsThePasswordAtEveryBootAndKeepsItOutOfTheLog) {
  LocalCluster cluster;
  cluster.configuration.database.postgres.cluster.settings = {{"log_statement", "all"}};
  cluster.database.password = config::Secret("first-Secret");
  ASSERT_OK(cluster.boot());
  ASSERT_TRUE(cluster.connect());
  cluster.stop();
  cluster.database.password = config::Secret("it's \"another\" %40 # secret\\");
  ASSERT_OK(cluster.boot());
  ASSERT_TRUE(cluster.connect());
  cluster.database.password = config::Secret("first-Secret");
  auto refused = cluster.connect();
  ASSERT_FALSE(refused);
  EXPECT_FALSE(refused.error().retryable);
  EXPECT_EQ(refused.error().error.code, ExitCode::kPermission);
  cluster.stop();
  const auto log = read_text(cluster.root() + "/server.log");
  EXPECT_THAT(log, ::testing::Not(HasSubstr("first-Secret")));
  EXPECT_THAT(log, ::testing::Not(HasSubstr("another")));
  EXPECT_THAT(log, HasSubstr("SCRAM-SHA-256"));
}

TEST(LocalCluster, TakesHostileNames) {
  LocalCluster cluster;
  cluster.database.name = "data'; DROP \"base\" %s host=evil";
  cluster.database.user = "Rôle \"x\" -- \\ $1";
  cluster.database.schema = "Mixed-Case \"s\";";
  cluster.configuration.database.postgres.extensions = {"pg_trgm"};
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT current_user"), cluster.database.user);
  EXPECT_EQ(ask(cluster, "SELECT current_database()"), cluster.database.name);
  EXPECT_EQ(ask(cluster, "SELECT current_schema()"), cluster.database.schema);
  EXPECT_EQ(ask(cluster, "SELECT similarity('abc', 'abc')"), "1");
  cluster.stop();
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT current_schema()"), cluster.database.schema);
}

TEST(LocalCluster, RefusesNamesThatWouldBeCut) {
  LocalCluster cluster;
  cluster.database.name = std::string(64, 'x');
  const auto result = cluster.prepare();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("63 bytes"));
}

TEST(LocalCluster, LetsNobodyInUntilProvisioned) {
  LocalCluster cluster;
  ASSERT_OK(cluster.boot());
  cluster.stop();
  cluster.start();
  // The old password is right, and still nobody gets in over TCP.
  std::string seen;
  ASSERT_TRUE(eventually([&] {
    auto attempt = cluster.connect();
    if (attempt) {
      seen = "let in";
      return true;
    }
    seen = attempt.error().error.message;
    return seen.find("pg_hba.conf reject") != std::string::npos && attempt.error().retryable;
  })) << seen;
  EXPECT_THAT(seen, HasSubstr("pg_hba.conf reject"));
  ASSERT_OK(cluster.prepare());
  EXPECT_TRUE(cluster.connect());
}

TEST(LocalCluster, RunsAsAnotherUserAndAsAUidWithoutAName) {
  for (const uid_t uid : {uid_t{1000}, uid_t{54321}}) {
    LocalCluster cluster;
    ASSERT_EQ(chown(cluster.root().c_str(), uid, uid), 0);
    const int code = in_child([&] {
      if (setgid(uid) != 0 || setuid(uid) != 0) return 1;
      for (int boot = 0; boot < 2; ++boot) {
        if (auto booted = cluster.boot(); !booted) {
          std::fprintf(stderr, "%s\n", booted.error().message.c_str());
          return 2;
        }
        if (!cluster.connect()) return 3;
        if (cluster.stop() != 0) return 4;
      }
      return 0;
    });
    EXPECT_EQ(code, 0) << "uid " << uid;
    struct stat status{};
    ASSERT_EQ(stat(cluster.data_dir().c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, uid);
  }
}

TEST(LocalCluster, NamesAnUnknownSettingBeforeStarting) {
  LocalCluster cluster;
  ASSERT_OK(cluster.initialise());
  const auto before = fingerprint(cluster.data_dir());
  cluster.configuration.database.postgres.cluster.settings = {{"shared_bufers", "1GB"}};
  const auto result = run_server(cluster.configuration, cluster.database, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("shared_bufers"));
  EXPECT_EQ(fingerprint(cluster.data_dir()), before);
}

TEST(LocalCluster, TheApplicationMayBeTheSuperuserItself) {
  LocalCluster cluster;
  cluster.database.user = "postgres";
  cluster.database.name = "postgres";
  for (int boot = 0; boot < 2; ++boot) {
    ASSERT_OK(cluster.boot());
    EXPECT_EQ(ask(cluster, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"), "t");
    EXPECT_EQ(cluster.stop(), 0);
  }
}

TEST(LocalCluster, ListensOnASocketAloneWhenTheApplicationUsesOne) {
  LocalCluster cluster;
  cluster.configuration.database.postgres.cluster.listen_addresses = "";
  ASSERT_OK(cluster.initialise());
  const auto refused = run_server(cluster.configuration, cluster.database, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ExitCode::kConfiguration);
  cluster.database.endpoints.front().host = cluster.socket_directory();
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT inet_server_addr() IS NULL"), "t");
}

TEST(LocalCluster, UserSettingsWin) {
  LocalCluster cluster;
  cluster.configuration.database.postgres.cluster.settings = {
      {"max_connections", "23"}, {"application_name", "it's a \\ \"name\""}, {"log_line_prefix", "%m [%p] "}};
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SHOW max_connections"), "23");
}

TEST(LocalCluster, NamesABadHbaLineAndStaysClosed) {
  LocalCluster cluster;
  cluster.configuration.database.postgres.cluster.hba = {"host all all 10.0.0.0/8 nonsense"};
  const auto result = cluster.boot();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("nonsense"));
  auto attempt = cluster.connect();
  ASSERT_FALSE(attempt);
  cluster.configuration.database.postgres.cluster.hba = {"host all all 0.0.0.0/0 trust"};
  const auto trusting = cluster.prepare();
  ASSERT_FALSE(trusting);
  EXPECT_THAT(trusting.error().message, HasSubstr("trust"));
}

TEST(LocalCluster, SurvivesAKilledServerAndAReusedPid) {
  LocalCluster cluster;
  ASSERT_OK(cluster.boot());
  cluster.kill();
  // What a restarted container finds: the pid in the file is alive again, as somebody else.
  auto lines = read_text(cluster.data_dir() + "/postmaster.pid");
  ASSERT_FALSE(lines.empty());
  write_text(cluster.data_dir() + "/postmaster.pid", std::to_string(getpid()) + lines.substr(lines.find('\n')), 0600);
  ASSERT_OK(cluster.boot());
  EXPECT_EQ(ask(cluster, "SELECT 1"), "1");
}

TEST(LocalCluster, AServerStartedAgainWithinABootLetsTheApplicationIn) {
  LocalCluster cluster;
  ASSERT_OK(cluster.boot());
  fs::create_directory(cluster.configuration.markers.directory);
  write_text(cluster.configuration.markers.directory + "/database.ready", "{}");
  cluster.kill();
  cluster.start();
  EXPECT_TRUE(eventually([&] { return ask(cluster, "SELECT 1") == "1"; }));
  cluster.stop();
  // The next boot closes it again until it is prepared.
  fs::remove(cluster.configuration.markers.directory + "/database.ready");
  ASSERT_OK(cluster.initialise());
  cluster.start();
  EXPECT_TRUE(eventually([&] { return ask(cluster, "SELECT 1").find("pg_hba.conf rejects") != std::string::npos; }));
}

TEST(LocalCluster, VariablesOfLibpqLeadTheSuperuserNowhereElse) {
  LocalCluster cluster;
  fs::create_directory(cluster.root() + "/scripts");
  write_text(cluster.root() + "/scripts/1.sql", "CREATE TABLE here (n int);");
  ASSERT_OK(cluster.initialise());
  cluster.start();
  EXPECT_EQ(in_child([&] {
              setenv("PGHOSTADDR", "127.0.0.2", 1);
              setenv("PGSERVICE", "elsewhere", 1);
              setenv("PGREQUIREPEER", "nobody", 1);
              const auto done = cluster.prepare();
              if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
              return done ? 0 : 1;
            }),
            0);
  EXPECT_EQ(ask(cluster, "SELECT count(*) FROM here"), "0");
}

TEST(LocalCluster, RefusesASecondServerOnTheSameDirectory) {
  LocalCluster cluster;
  ASSERT_OK(cluster.boot());
  const auto before = read_text(cluster.data_dir() + "/postmaster.pid");
  const auto again = initialise_cluster(cluster.configuration, cluster.database, {});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ExitCode::kClusterRefused);
  EXPECT_THAT(again.error().message, HasSubstr(std::to_string(cluster.pid())));
  EXPECT_EQ(read_text(cluster.data_dir() + "/postmaster.pid"), before);
  EXPECT_EQ(ask(cluster, "SELECT 1"), "1");
}

}  // namespace
}  // namespace slipway::database::postgres::testing
