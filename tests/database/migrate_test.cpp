#include "database/migrate.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/migration_tool.hpp"
#include "database/sqlite/connection.hpp"
#include "database/sqlite/prepare.hpp"
#include "database/temporary_directory.hpp"

namespace slipway::database {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::names;
using ::testing::Not;
using ::testing::SizeIs;
using testing::write_text;

constexpr const char* kPython = "/usr/bin/python3";
constexpr auto kEnvironmentScript = R"(
import os
from alembic import context
from sqlalchemy import create_engine
print("noise from env.py")
with create_engine(os.environ["DB_URL"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
)";
constexpr auto kRevision = R"(
from alembic import op
revision = "REVISION"
down_revision = PARENT
def upgrade():
    BODY
def downgrade():
    pass
)";

class Migrate : public ::testing::Test {
 protected:
  Migrate() {
    configuration_.database.backend = config::Backend::kSqlite;
    configuration_.database.sqlite.path = root_.file("data/app.db");
    configuration_.database.exports["DB_URL"].form = config::ExportForm::kUrl;
    configuration_.migrations.working_dir = root_.path();
    const auto self = host::resolve_identity("", "", {});
    EXPECT_TRUE(sqlite::prepare(path(), {}, *self, {}));
  }

  [[nodiscard]] std::string path() const { return configuration_.database.sqlite.path; }
  void shell(const std::string& script) { configuration_.migrations.command.argv = {"/bin/sh", "-c", script}; }

  Result<MigrationResult> run() {
    const auto database = *resolve(configuration_);
    const MigrationInputs inputs{configuration_,
                                 database,
                                 {{"PATH", "/usr/bin:/bin"}, {"NOTIFY_SOCKET", "@x"}},
                                 [this](const std::string& line) { log_ += line + "\n"; }};
    return migrate(inputs);
  }

  std::string query(const std::string& sql) {
    auto connection = sqlite::Connection::open(path(), sqlite::Access::kReadWrite, std::chrono::seconds(5));
    auto found = connection->query(sql);
    return found ? *found : found.error().message;
  }

  void add_revision(const std::string& name, const std::string& parent, const std::string& body) {
    std::string text = kRevision;
    const auto put = [&text](const std::string& mark, const std::string& value) {
      text.replace(text.find(mark), mark.size(), value);
    };
    put("REVISION", name);
    put("PARENT", parent);
    put("BODY", body);
    write_text(root_.file("alembic/versions/" + name + ".py"), text);
  }

  void make_alembic_project() {
    std::filesystem::create_directories(root_.file("alembic/versions"));
    write_text(root_.file("alembic.ini"), "[alembic]\nscript_location = alembic\n");
    write_text(root_.file("alembic/env.py"), kEnvironmentScript);
    configuration_.migrations.tool = config::MigrationTool::kAlembic;
    configuration_.migrations.command.argv = {kPython, "-m", "alembic", "upgrade", "heads"};
    add_revision("first", "None", R"py(op.execute("CREATE TABLE t(x)"); op.execute("INSERT INTO t VALUES (1)"))py");
  }

  testing::TemporaryDirectory root_;
  config::Configuration configuration_;
  std::string log_;
};

TEST_F(Migrate, CommandSeesTheDatabaseAndItsOwnVariables) {
  configuration_.migrations.environment["EXTRA"] = "more";
  shell("echo \"$DB_URL $EXTRA $NOTIFY_SOCKET.\" > seen");
  const auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->applied);
  EXPECT_EQ(testing::read_text(root_.file("seen")), "sqlite:///" + path() + " more .\n");
}

TEST_F(Migrate, NothingPendingTakesNoLockAndNoBackup) {
  shell("touch ran");
  configuration_.migrations.check_command.argv = {"true"};
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->applied);
  EXPECT_FALSE(std::filesystem::exists(root_.file("ran")));
  EXPECT_THAT(names(root_.file("data"), "slipway-lock"), SizeIs(0));
}

TEST_F(Migrate, FailureNamesTheStepAndItsLastWords) {
  configuration_.migrations.steps = {{"good", {{"true"}}},
                                     {"bad one", {{"/bin/sh", "-c", "echo gone wrong >&2; exit 3"}}},
                                     {"never", {{"touch", "never"}}}};
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ExitCode::kMigrationFailed);
  EXPECT_THAT(result.error().message, HasSubstr("the step \"bad one\" exited with 3"));
  EXPECT_THAT(result.error().message, HasSubstr("\n  gone wrong"));
  EXPECT_FALSE(std::filesystem::exists(root_.file("never")));
}

TEST_F(Migrate, MissingProgramsAndDirectoriesAreNamed) {
  configuration_.migrations.command.argv = {"no-such-program"};
  EXPECT_THAT(run().error().message, HasSubstr("no-such-program"));
  shell("true");
  configuration_.migrations.working_dir = "/no/such/directory";
  EXPECT_THAT(run().error().message, HasSubstr("/no/such/directory"));
}

TEST_F(Migrate, StillPendingAfterwardsIsAFailure) {
  shell("true");
  configuration_.migrations.check_command.argv = {"false"};
  EXPECT_THAT(run().error().message, HasSubstr("still pending"));
  configuration_.migrations.verify_command.argv = {"true"};
  EXPECT_TRUE(run());
}

TEST_F(Migrate, PrepareSqlRunsFirst) {
  configuration_.migrations.prepare_sql = {"CREATE TABLE p(x)", "INSERT INTO p VALUES ('it''s')"};
  shell("true");
  ASSERT_TRUE(run());
  EXPECT_EQ(query("SELECT x FROM p"), "it's");
  configuration_.migrations.prepare_sql = {"SELECT 1", "nonsense"};
  EXPECT_THAT(run().error().message, HasSubstr("migrations.prepare_sql[1]: "));
}

TEST_F(Migrate, TimeLimitEndsEverythingTheCommandStarted) {
  configuration_.migrations.timeout = std::chrono::milliseconds(300);
  shell("sleep infinity & sleep infinity");
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("did not finish in time"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left";
}

TEST_F(Migrate, TerminationEndsTheCommandAndReleasesTheLock) {
  shell("echo $$ > started; sleep infinity & wait");
  const pid_t pid = ::fork();
  if (pid == 0) {
    const auto result = run();
    ::_exit(result && result->interrupted == SIGTERM ? 42 : 1);
  }
  while (!std::filesystem::exists(root_.file("started")) || testing::read_text(root_.file("started")).empty()) {
    ::poll(nullptr, 0, 5);
  }
  ::kill(pid, SIGTERM);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  shell("true");
  EXPECT_TRUE(run()) << "the lock is free";
}

TEST_F(Migrate, AlembicAppliesEachRevisionOnce) {
  make_alembic_project();
  auto result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->applied);
  EXPECT_EQ(result->schema_version, "first");
  result = run();
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_FALSE(result->applied);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "1");
  EXPECT_THAT(names(root_.file("data"), "pre-migrate"), SizeIs(0)) << "there was nothing to save";
}

TEST_F(Migrate, AFailingRevisionLeavesABackup) {
  make_alembic_project();
  ASSERT_TRUE(run());
  add_revision("second", "\"first\"", R"py(raise RuntimeError("made to fail"))py");
  const auto result = run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("made to fail"));
  const auto backups = names(root_.file("data"), "pre-migrate");
  ASSERT_THAT(backups, SizeIs(1));
  EXPECT_THAT(result.error().message, HasSubstr(backups[0]));
}

TEST_F(Migrate, ADatabaseNewerThanTheProgramIsNotMigrated) {
  make_alembic_project();
  ASSERT_TRUE(run());
  query("UPDATE alembic_version SET version_num = 'from_the_future'");
  EXPECT_THAT(run().error().message, HasSubstr("from_the_future"));
}

TEST_F(Migrate, SeveralReplicasApplyEachRevisionOnce) {
  make_alembic_project();
  std::vector<pid_t> pids;
  for (int i = 0; i < 4; ++i) {
    pids.push_back(::fork());
    if (pids.back() == 0) {
      const auto result = run();
      ::_exit(!result ? 1 : result->applied ? 10 : 0);
    }
  }
  int applied = 0;
  for (const pid_t pid : pids) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_NE(WEXITSTATUS(status), 1);
    applied += WEXITSTATUS(status) == 10 ? 1 : 0;
  }
  EXPECT_EQ(applied, 1);
  EXPECT_EQ(query("SELECT count(*) FROM t"), "1");
}

TEST(MigrationTool, AlembicOutputIsReadRobustly) {
  EXPECT_THAT(alembic_heads("INFO noise\nae10 (head)\nbf20 (shop, billing) (head)\nold\n"),
              ElementsAre("ae10", "bf20"));
  EXPECT_THAT(alembic_current("Loading the settings\nae10 (head)\r\nbf20\ncf30 (head) (mergepoint)\n"),
              ElementsAre("ae10", "bf20", "cf30"));
  EXPECT_THAT(alembic_current(""), SizeIs(0));
}

TEST(MigrationTool, PresetsKeepTheProgramOfACommand) {
  config::Migrations migrations;
  migrations.tool = config::MigrationTool::kDjango;
  migrations.command.argv = {"uv", "run", "manage.py", "migrate", "--noinput"};
  auto procedure = migration_procedure(migrations);
  EXPECT_THAT(procedure.check.argv, ElementsAre("uv", "run", "manage.py", "migrate", "--check"));
  migrations = {};
  migrations.tool = config::MigrationTool::kAlembic;
  procedure = migration_procedure(migrations);
  ASSERT_THAT(procedure.steps, SizeIs(1));
  EXPECT_THAT(procedure.steps[0].command.argv, ElementsAre("alembic", "upgrade", "heads"));
  EXPECT_THAT(procedure.current.argv, ElementsAre("alembic", "current"));
}

}  // namespace
}  // namespace slipway::database
