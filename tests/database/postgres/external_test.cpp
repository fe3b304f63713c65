// An external server: what is waited for, what fails at once, which host is chosen; the migration lock and the backup.

#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/advisory_lock.hpp"
#include "database/postgres/backup.hpp"
#include "database/postgres/prepare.hpp"
#include "database/postgres/scram.hpp"
#include "database/postgres/superuser.hpp"
#include "database/postgres/wait.hpp"
#include "local_cluster.hpp"

namespace slipway::database::postgres::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

class External : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new LocalCluster();
    const auto booted = server_->boot();
    ASSERT_TRUE(booted) << booted.error().message;
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    configuration = server_->configuration;
    configuration.database.postgres.local = false;
    database = server_->database;
    database.local = false;
  }
  static Connection administrator(const std::string& name) {
    const Administration administration{server_->socket_directory(), server_->database.endpoints.front().port,
                                        "postgres"};
    return std::move(*Connection::open(administration_parameters(administration, name), Clock::now() + seconds(10)));
  }
  Result<void> prepare_now() {
    return prepare(configuration, database, [this](const std::string& line) { log += line + "\n"; });
  }
  /// Fails at once, without a retry.
  void expect_final(ExitCode code, const ::testing::Matcher<const std::string&>& message) {
    const auto began = Clock::now();
    const auto result = prepare_now();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, message);
    EXPECT_LT(Clock::now() - began, seconds(20)) << "of the thirty it would wait";
    EXPECT_THAT(result.error().message, Not(HasSubstr(database.password.reveal())));
  }
  static LocalCluster* server_;
  config::Configuration configuration;
  ResolvedDatabase database;
  std::string log;
};
LocalCluster* External::server_ = nullptr;

TEST_F(External, IsReadyAfterAnAuthenticatedQuery) {
  const auto result = prepare_now();
  EXPECT_TRUE(result) << result.error().message;
}

TEST_F(External, AWrongPasswordFailsAtOnce) {
  database.password = config::Secret("wr0ng-password");
  expect_final(ExitCode::kPermission, AllOf(HasSubstr("28P01"), HasSubstr("app")));
}

TEST_F(External, AnUnknownRoleAndNoPasswordFailAtOnce) {
  database.user = "stranger";
  expect_final(ExitCode::kPermission, HasSubstr("stranger"));
  database.user = "app";
  database.password = config::Secret("");
  const auto result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kPermission) << result.error().message;
}

TEST_F(External, AMissingDatabaseFailsAtOnce) {
  database.name = "elsewhere";
  expect_final(ExitCode::kDatabaseUnavailable, AllOf(HasSubstr("3D000"), HasSubstr("elsewhere")));
}

TEST_F(External, TlsThatTheServerDoesNotOfferFailsAtOnce) {
  database.sslmode = "require";
  expect_final(ExitCode::kDatabaseUnavailable, HasSubstr("SSL"));
}

TEST_F(External, ChannelBindingWithoutTlsFailsAtOnce) {
  database.channel_binding = "require";
  expect_final(ExitCode::kPermission, HasSubstr("channel binding"));
}

TEST_F(External, ARefusedConnectionIsRetriedUntilTheTimeout) {
  database.endpoints.front().port = free_port();
  configuration.database.postgres.wait = {milliseconds(400), milliseconds(50)};
  const auto began = Clock::now();
  const auto result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kDatabaseUnavailable);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("127.0.0.1:" + database.endpoints.front().port),
                                            HasSubstr("refused"), HasSubstr("gave up")));
  EXPECT_GE(Clock::now() - began, milliseconds(300));
}

TEST_F(External, AnUnknownHostIsRetried) {
  database.endpoints = {{"no-such-host.invalid", "5432"}};
  configuration.database.postgres.wait = {milliseconds(100), milliseconds(50)};
  const auto result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("no-such-host.invalid"), HasSubstr("gave up")));
}

TEST_F(External, AServerThatNeverAnswersIsTimedOut) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const auto silent = std::to_string(ntohs(address.sin_port));
  auto good = database;
  database.endpoints = {{"127.0.0.1", silent}};
  configuration.database.postgres.wait = {milliseconds(500), milliseconds(50)};
  const auto result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("timed out"));
  // Behind a silent host, the next one is still found.
  database = good;
  database.connect_timeout_seconds = 1;
  database.endpoints.insert(database.endpoints.begin(), {"127.0.0.1", silent});
  configuration.database.postgres.wait = {seconds(20), milliseconds(50)};
  const auto behind = prepare_now();
  EXPECT_TRUE(behind) << behind.error().message;
  close(listener);
}

TEST_F(External, AServerThatStopsAnsweringIsGivenUp) {
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  ASSERT_TRUE(connection);
  EXPECT_EQ(connection->query_until(Clock::now() + seconds(10), "SELECT 7")->value(), "7");
  EXPECT_THAT(connection->query_until(Clock::now() + seconds(10), "SELECT 1/0").error().message,
              HasSubstr("division by zero"));
  const auto silent = connection->query_until(Clock::now() + milliseconds(100), "SELECT pg_sleep(60)");
  ASSERT_FALSE(silent);
  EXPECT_EQ(silent.error().code, ExitCode::kDatabaseUnavailable);
  EXPECT_THAT(silent.error().message, HasSubstr("does not answer"));
}

TEST_F(External, ComesUpWhileWeWait) {
  LocalCluster late;
  ASSERT_TRUE(late.boot());
  late.stop();
  auto waiting = late.database;
  waiting.local = false;
  auto settings = late.configuration;
  const pid_t waiter = start_child([&] { return prepare(settings, waiting, {}) ? 0 : 1; });
  // During its provisioning phase the server rejects the waiter, who must not take that for final.
  late.start();
  ASSERT_TRUE(late.prepare());
  EXPECT_EQ(wait_child(waiter), 0);
}

TEST_F(External, ChoosesTheHostThatCanBeWritten) {
  LocalCluster read_only;
  ASSERT_TRUE(read_only.boot());
  {
    auto connection = read_only.connect();
    ASSERT_TRUE(connection->execute("ALTER ROLE app SET default_transaction_read_only = on"));
  }
  auto both = database;
  both.endpoints = {read_only.database.endpoints.front(), database.endpoints.front()};
  both.target_session_attrs = "read-write";
  const auto port_of = [](Connection& connection) { return connection.query("SHOW port")->value(); };
  auto writable = wait_until_ready(application_parameters(both), {seconds(10), milliseconds(50)}, {});
  ASSERT_TRUE(writable) << writable.error().message;
  EXPECT_EQ(port_of(*writable), database.endpoints.front().port);
  both.endpoints.pop_back();
  const auto none = wait_until_ready(application_parameters(both), {seconds(2), milliseconds(50)}, {});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, AllOf(HasSubstr("read-only"), HasSubstr("gave up")));
}

TEST_F(External, CreatesTheSchemaWhenAllowedAndSaysWhatIsMissingWhenNot) {
  database.schema = "Tenant-One";
  auto result = prepare_now();
  ASSERT_TRUE(result) << result.error().message;
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  EXPECT_EQ(connection->query("SELECT current_schema()")->value(), "Tenant-One");
  auto admin = administrator("app");
  ASSERT_TRUE(admin.execute("ALTER ROLE app IN DATABASE app RESET search_path"));
  ASSERT_TRUE(admin.execute("ALTER DATABASE app OWNER TO postgres"));
  database.schema = "forbidden";
  result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kPermission);
  ASSERT_TRUE(admin.execute("ALTER DATABASE app OWNER TO app"));
  configuration.database.postgres.extensions = {"no_such_extension"};
  database.schema.clear();
  result = prepare_now();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  EXPECT_THAT(result.error().message, HasSubstr("no_such_extension"));
}

TEST_F(External, ReplicasThatPrepareAtOnceAllSucceed) {
  auto admin = administrator("app");
  configuration.database.postgres.extensions = {"citext", "pg_trgm"};
  for (int round = 0; round < 3; ++round) {
    database.schema = "shared" + std::to_string(round);
    ASSERT_TRUE(admin.execute("DROP EXTENSION IF EXISTS citext, pg_trgm"));
    std::vector<pid_t> replicas;
    for (int i = 0; i < 6; ++i) {
      replicas.push_back(start_child([&] {
        const auto done = prepare_now();
        if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
        return done ? 0 : 1;
      }));
    }
    for (const pid_t replica : replicas) EXPECT_EQ(wait_child(replica), 0);
  }
}

TEST_F(External, IgnoresParametersOfOtherDrivers) {
  database.parameters = {
      {"prepared_statement_cache_size", "0"}, {"application_name", "mine"}, {"options", "-c work_mem=5MB"}};
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  ASSERT_TRUE(connection) << connection.error().error.message;
  EXPECT_EQ(connection->query("SHOW work_mem")->value(), "5MB");
}

TEST_F(External, TellsWhetherAVerifierBelongsToAPassword) {
  auto connection = administrator("app");
  for (const auto* password : {"s3cret", "it's \"x\" %40\\", " ", "~"}) {
    const auto verifier = connection.scram_verifier(config::Secret(password), "app");
    ASSERT_TRUE(verifier);
    EXPECT_TRUE(scram_verifier_matches(*verifier, config::Secret(password))) << password;
    EXPECT_FALSE(scram_verifier_matches(*verifier, config::Secret(std::string(password) + "x"))) << password;
    EXPECT_FALSE(scram_verifier_matches(verifier->substr(0, 60), config::Secret(password)));
  }
  for (const auto* text : {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096:$:", "SCRAM-SHA-256$x:AAAA$AAAA:AAAA",
                           "SCRAM-SHA-256$4096:!!!!$!!!!:AAAA"}) {
    EXPECT_FALSE(scram_verifier_matches(text, config::Secret("s3cret"))) << text;
  }
  const auto foreign = connection.scram_verifier(config::Secret("pässwörd"), "app");
  EXPECT_FALSE(scram_verifier_matches(*foreign, config::Secret("pässwörd"))) << "left to the server's own preparation";
}

TEST_F(External, OneHoldsTheLockAndTheOthersWait) {
  config::MigrationLock lock;
  lock.timeout = milliseconds(300);
  {
    auto held = AdvisoryLock::acquire(database, lock, {});
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_TRUE(held->verify());
    const auto second = AdvisoryLock::acquire(database, lock, {});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ExitCode::kLockTimeout);
    EXPECT_THAT(second.error().message, AllOf(HasSubstr("user app"), HasSubstr("slipway migration lock")));
    database.schema = "other";
    EXPECT_TRUE(AdvisoryLock::acquire(database, lock, {})) << "another schema has its own lock";
    database.schema.clear();
    lock.timeout = seconds(20);
    const pid_t waiter = start_child([&] { return AdvisoryLock::acquire(database, lock, {}) ? 0 : 1; });
    auto admin = administrator("app");
    ASSERT_TRUE(eventually([&] {
      return admin.query("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slipway migration lock'")
                 ->value() == "2";
    }));
    // A waiter must not hold a snapshot: CREATE INDEX CONCURRENTLY would wait for it for ever.
    ASSERT_TRUE(eventually([&] {
      return admin
                 .query(
                     "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'slipway migration lock' AND "
                     "backend_xmin IS NULL")
                 ->value() == "2";
    }));
    {
      const auto released = std::move(*held);
    }
    EXPECT_EQ(wait_child(waiter), 0);
  }
}

TEST_F(External, NoticesThatTheLockIsLost) {
  auto held = AdvisoryLock::acquire(database, {}, {});
  ASSERT_TRUE(held);
  auto admin = administrator("app");
  ASSERT_TRUE(admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'slipway migration lock'"));
  const auto lost = held->verify();
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ExitCode::kLockTimeout);
  EXPECT_THAT(lost.error().message, HasSubstr("lost"));
}

TEST(AdvisoryLockKey, IsANumberAHashOrTheSchemas) {
  EXPECT_EQ(advisory_lock_key("42", ""), 42);
  EXPECT_EQ(advisory_lock_key("-7", "s"), -7);
  EXPECT_NE(advisory_lock_key("auto", "a"), advisory_lock_key("auto", "b"));
  EXPECT_EQ(advisory_lock_key("a name", "a"), advisory_lock_key("a name", "b"));
  EXPECT_NE(advisory_lock_key("42x", ""), 42);
}

TEST_F(External, BacksUpOnceThereAreTablesAndKeepsTheNewest) {
  configuration.name = "my/app";
  configuration.backup.keep = 2;
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  ASSERT_TRUE(connection->execute("CREATE TABLE precious (n int); INSERT INTO precious VALUES (42)"));
  std::string last;
  for (int i = 0; i < 4; ++i) {
    const auto made = backup_before_migration(configuration, database, {});
    ASSERT_TRUE(made) << made.error().message;
    ASSERT_TRUE(made->has_value());
    last = **made;
    // Neither what somebody put away under a similar name nor a neighbour's backup is ours to remove.
    const auto beside = configuration.state_dir + "/backups/";
    EXPECT_FALSE(fs::exists(beside + ".my_app.pre-migrate-123.partial"));
    write_text(beside + "my_app.pre-migrate-keep-for-ever.dump", "");
    write_text(beside + "my_app.pre-migrate-20200101T000000Z.dump.gz", "");
    write_text(beside + "neighbour.pre-migrate-20200101T000000Z.dump", "");
    write_text(beside + ".my_app.pre-migrate-123.partial", "left by a kill");
  }
  EXPECT_EQ(fs::remove(configuration.state_dir + "/backups/my_app.pre-migrate-keep-for-ever.dump"), true);
  EXPECT_EQ(fs::remove(configuration.state_dir + "/backups/my_app.pre-migrate-20200101T000000Z.dump.gz"), true);
  EXPECT_EQ(fs::remove(configuration.state_dir + "/backups/neighbour.pre-migrate-20200101T000000Z.dump"), true);
  EXPECT_EQ(fs::remove(configuration.state_dir + "/backups/.my_app.pre-migrate-123.partial"), true);
  struct stat status{};
  ASSERT_EQ(stat(last.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_THAT(last, HasSubstr("/backups/my_app.pre-migrate-"));
  EXPECT_EQ(read_text(last).substr(0, 5), "PGDMP");
  EXPECT_EQ(std::distance(fs::directory_iterator(configuration.state_dir + "/backups"), {}), 2);
  ASSERT_TRUE(connection->execute("DROP TABLE precious"));
}

TEST_F(External, AnEmptyDatabaseNeedsNoBackup) {
  database.schema = "empty-schema";
  const auto made = backup_before_migration(configuration, database, {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE(made->has_value());
}

TEST_F(External, ABackupThatCannotBeMadeIsAnErrorAndLeavesNothing) {
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  ASSERT_TRUE(connection->execute("CREATE SCHEMA \"q\"\"s*\"; CREATE TABLE \"q\"\"s*\".t (n int)"));
  database.schema = "q\"s*";
  configuration.backup.dir = server_->root() + "/elsewhere";
  ASSERT_TRUE(backup_before_migration(configuration, database, {})->has_value());
  auto admin = administrator("app");
  ASSERT_TRUE(admin.execute("CREATE TABLE \"q\"\"s*\".forbidden (n int)"));
  const auto failed = backup_before_migration(configuration, database, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ExitCode::kBackupFailed);
  EXPECT_THAT(failed.error().message, AllOf(HasSubstr("permission denied"), HasSubstr("forbidden")));
  EXPECT_EQ(std::distance(fs::directory_iterator(configuration.backup.dir), {}), 1);
  configuration.backup.dir = server_->root() + "/server.log/sub";
  const auto nowhere = backup_before_migration(configuration, database, {});
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().code, ExitCode::kBackupFailed);
  configuration.database.postgres.cluster.bin_dir = "9";
  configuration.backup.dir.clear();
  const auto missing = backup_before_migration(configuration, database, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ExitCode::kBackupFailed);
  ASSERT_TRUE(admin.execute("DROP SCHEMA \"q\"\"s*\" CASCADE"));
}

TEST_F(External, AFullDiskFailsTheBackupBeforeItStartsOrLeavesNothing) {
  auto connection = Connection::open(application_parameters(database), Clock::now() + seconds(10));
  ASSERT_TRUE(connection->execute(
      "CREATE TABLE big AS SELECT md5(n::text) || md5((n + 1)::text) AS t FROM generate_series(1, 60000) n"));
  const auto full = server_->root() + "/full";
  fs::create_directory(full);
  const int code = in_child([&] {
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 10;
    if (mount("tmpfs", full.c_str(), "tmpfs", 0, "size=1m") != 0) return 11;
    configuration.backup.dir = full;
    const auto failed = backup_before_migration(configuration, database, {});
    if (failed) return 1;
    std::fprintf(stderr, "%s\n", failed.error().message.c_str());
    if (failed.error().message.find("KiB are free") == std::string::npos) return 2;
    return fs::is_empty(full) && failed.error().code == ExitCode::kBackupFailed ? 0 : 3;
  });
  EXPECT_EQ(code, 0);
  const int cut_short = in_child([&] {
    const rlimit limit{100'000, 100'000};  // bytes: pg_dump dies of SIGXFSZ on the way
    configuration.backup.dir = full;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || backup_before_migration(configuration, database, {})) return 1;
    return fs::is_empty(full) ? 0 : 2;
  });
  EXPECT_EQ(cut_short, 0);
  ASSERT_TRUE(connection->execute("DROP TABLE big"));
}

}  // namespace
}  // namespace slipway::database::postgres::testing
