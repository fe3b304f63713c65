// The migration on a real PostgreSQL server: replicas, the lock and how it is lost, Alembic's version table.

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <unistd.h>

#include "database/migrate.hpp"
#include "database/postgres/advisory_lock.hpp"
#include "local_cluster.hpp"

namespace slipway::database {
namespace {

using postgres::testing::LocalCluster;
using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;
namespace cluster = postgres::testing;

constexpr const char* kPython = "/usr/bin/python3";
constexpr auto kEnvironmentScript = R"(
import os
from alembic import context
from sqlalchemy import create_engine
with create_engine(os.environ["DB_URL"]).connect() as connection:
    context.configure(connection=connection, version_table=os.environ.get("VERSION_TABLE", "alembic_version"))
    with context.begin_transaction():
        context.run_migrations()
)";

class MigratePostgres : public ::testing::Test {
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

  MigratePostgres() : configuration_(server_->configuration) {
    configuration_.database.exports["DB_URL"].form = config::ExportForm::kUrl;
    configuration_.migrations.working_dir = root_.path();
    configuration_.backup.dir = root_.path() + "/backups";
    query("DROP SCHEMA IF EXISTS public CASCADE");
    query("CREATE SCHEMA public");
  }

  [[nodiscard]] std::string file(const std::string& name) const { return root_.path() + "/" + name; }
  void shell(const std::string& script) { configuration_.migrations.command.argv = {"/bin/sh", "-c", script}; }

  Result<MigrationResult> run() {
    const MigrationInputs inputs{
        configuration_, server_->database, {{"PATH", "/usr/bin:/bin"}}, [this](const std::string& line) {
          log_ += line + "\n";
        }};
    return migrate(inputs);
  }

  static std::string query(const std::string& sql) {
    auto connection = server_->connect();
    if (!connection) return connection.error().error.message;
    auto found = connection->query(sql);
    return found ? found->value() : found.error().message;
  }

  /// Can the lock be had at once?
  static bool lock_is_free() {
    config::MigrationLock once;
    once.timeout = std::chrono::milliseconds(0);
    return postgres::AdvisoryLock::acquire(server_->database, once, {}).has_value();
  }

  void add_revision(const std::string& name, const std::string& parent, const std::string& body) const {
    const std::string down = parent.empty() ? "None" : "\"" + parent + "\"";
    cluster::write_text(file("alembic/versions/" + name.substr(0, 40) + ".py"),
                        "from alembic import op\nrevision = \"" + name + "\"\ndown_revision = " + down +
                            "\ndef upgrade():\n    " + body + "\ndef downgrade():\n    pass\n");
  }

  void make_alembic_project() {
    fs::create_directories(file("alembic/versions"));
    cluster::write_text(file("alembic.ini"), "[alembic]\nscript_location = alembic\n");
    cluster::write_text(file("alembic/env.py"), kEnvironmentScript);
    configuration_.migrations.tool = config::MigrationTool::kAlembic;
    configuration_.migrations.command.argv = {kPython, "-m", "alembic", "upgrade", "heads"};
    add_revision("first", "", "op.execute('CREATE TABLE t(x int)'); op.execute('INSERT INTO t VALUES (1)')");
  }

  static LocalCluster* server_;
  cluster::TemporaryDirectory root_;
  config::Configuration configuration_;
  std::string log_;
};
LocalCluster* MigratePostgres::server_ = nullptr;

TEST_F(MigratePostgres, ReplicasThatRaceApplyEachRevisionOnce) {
  make_alembic_project();
  add_revision("second", "first", "op.execute('INSERT INTO t VALUES (2)')");
  std::vector<pid_t> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.push_back(cluster::start_child([&] {
      const auto result = run();
      if (!result) std::fprintf(stderr, "%s\n", result.error().message.c_str());
      return !result ? 1 : result->applied ? 10 : 0;
    }));
  }
  int applied = 0;
  for (const pid_t replica : replicas) {
    const int code = cluster::wait_child(replica);
    EXPECT_TRUE(code == 0 || code == 10) << code;
    applied += code == 10 ? 1 : 0;
  }
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(query("SELECT string_agg(x::text, ',' ORDER BY x) FROM t"), "1,2");
  const auto again = run();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->applied);
  EXPECT_EQ(again->schema_version, "second");
}

TEST_F(MigratePostgres, LongRevisionNamesFitIntoAFreshAndAnOldVersionTable) {
  make_alembic_project();
  const std::string longer = "second_with_a_name_that_is_much_longer_than_thirty_two_characters";
  add_revision(longer, "first", "pass");
  ASSERT_TRUE(run());
  EXPECT_EQ(query("SELECT version_num FROM alembic_version"), longer);
  query("UPDATE alembic_version SET version_num = 'first'");
  query("ALTER TABLE alembic_version ALTER COLUMN version_num TYPE VARCHAR(32)");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->schema_version, longer);
}

TEST_F(MigratePostgres, AVersionTableOfAnotherNameLeavesNoEmptyOneBehind) {
  make_alembic_project();
  configuration_.migrations.environment["VERSION_TABLE"] = "my_versions";
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(query("SELECT version_num FROM my_versions"), "first");
  EXPECT_EQ(query("SELECT to_regclass('alembic_version')"), "");
  // One that was there before is somebody's, however empty.
  query("CREATE TABLE alembic_version (version_num VARCHAR(255))");
  add_revision("second", "first", "pass");
  ASSERT_TRUE(run());
  EXPECT_EQ(query("SELECT to_regclass('alembic_version')"), "alembic_version");
}

TEST_F(MigratePostgres, AFailingRevisionLeavesAPrivateBackupAndNamesIt) {
  make_alembic_project();
  ASSERT_TRUE(run());
  add_revision("second", "first", "raise RuntimeError('made to fail')");
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kMigrationFailed);
  EXPECT_THAT(result.error().message, AllOf(HasSubstr("made to fail"), HasSubstr(file("backups/"))));
  EXPECT_EQ(query("SELECT version_num FROM alembic_version"), "first");
  EXPECT_TRUE(lock_is_free());
}

TEST_F(MigratePostgres, LosingTheLockOnTheWayIsAFailure) {
  shell(
      "psql -qAtc \"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'slipway "
      "migration lock'\"");
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kLockTimeout) << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr("lost"));
}

/// Our own death must not let the next replica in while what we started still changes the database.
TEST_F(MigratePostgres, TheLockOutlivesUsUntilWhatWeStartedIsGone) {
  shell("sleep infinity & echo $! > pid.new; mv pid.new pid; wait");
  const pid_t migrating = cluster::start_child([&] { return run() ? 0 : 1; });
  ASSERT_TRUE(cluster::eventually([&] { return fs::exists(file("pid")); }));
  ::kill(migrating, SIGKILL);
  EXPECT_EQ(cluster::wait_child(migrating), 128 + SIGKILL);
  EXPECT_FALSE(lock_is_free());
  ::kill(std::stoi(cluster::read_text(file("pid"))), SIGKILL);
  EXPECT_TRUE(cluster::eventually([] { return lock_is_free(); }));
}

TEST_F(MigratePostgres, RunsAsTheUserThatIsNamedAndWithoutRights) {
  if (::geteuid() != 0) return;  // nobody else to become
  const std::string check = "test \"$(id -u)\" = 65534 && test \"$(psql -Atc 'SELECT current_user')\" = app";
  configuration_.migrations.user = "nobody";
  shell(check);
  auto result = run();
  EXPECT_TRUE(result) << result.error().message;
  configuration_.migrations.user.clear();
  EXPECT_EQ(cluster::in_child([&] {
              if (::setgid(65534) != 0 || ::setuid(65534) != 0) return 2;
              const auto done = run();
              if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
              return done ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace slipway::database
