// From configuration to plan.
#include "engine/boot_plan.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::engine {
namespace {

using config::Backend;
using config::Condition;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

config::Worker worker(std::string program) {
  config::Worker worker;
  worker.command.argv = {std::move(program)};
  return worker;
}

config::Configuration local_postgres() {
  config::Configuration configuration;
  configuration.database.backend = Backend::kPostgres;
  configuration.database.postgres.local = true;
  configuration.migrations.tool = config::MigrationTool::kAlembic;
  configuration.workers["web"] = worker("gunicorn");
  return configuration;
}

Result<Plan> plan_of(const config::Configuration& configuration, std::vector<std::string> main = {}) {
  return build_plan({configuration, std::move(main), "slipway-db", "slipway-web", {{"PGHOST", "db"}}});
}

std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> names;
  for (const UnitSpec& unit : plan.units) names.push_back(unit.name);
  return names;
}

const UnitSpec& unit(const Plan& plan, const std::string& name) {
  for (const UnitSpec& unit : plan.units) {
    if (unit.name == name) return unit;
  }
  throw std::out_of_range(name);
}

std::vector<std::string> edges(const Plan& plan, const std::string& name) {
  std::vector<std::string> edges;
  for (const UnitDependency& edge : unit(plan, name).dependencies) {
    const char* condition = edge.condition == Condition::kStarted   ? " started"
                            : edge.condition == Condition::kHealthy ? " healthy"
                                                                    : " completed";
    edges.push_back(plan.units[index(edge.unit)].name + condition + (edge.required ? "" : "?"));
  }
  return edges;
}

std::string error_of(const config::Configuration& configuration, std::vector<std::string> main = {}) {
  const auto plan = plan_of(configuration, std::move(main));
  return plan ? "" : plan.error().message;
}

TEST(BootPlan, OfALocalPostgresIsTheWholeChain) {
  const Plan plan = plan_of(local_postgres()).value();
  EXPECT_THAT(names(plan), ElementsAre("initdb", "postgres", "database", "migrate", "web"));
  EXPECT_THAT(edges(plan, "postgres"), ElementsAre("initdb completed"));
  EXPECT_THAT(edges(plan, "database"), ElementsAre("postgres started"));
  EXPECT_THAT(edges(plan, "migrate"), ElementsAre("database completed"));
  EXPECT_THAT(edges(plan, "web"), ElementsAre("migrate completed"));
  EXPECT_THAT(unit(plan, "initdb").launch.argv, ElementsAre("slipway-db", "initdb"));
  EXPECT_THAT(unit(plan, "postgres").launch.argv, ElementsAre("slipway-db", "server"));
  EXPECT_THAT(unit(plan, "database").launch.argv, ElementsAre("slipway-db", "prepare"));
  EXPECT_THAT(unit(plan, "migrate").launch.argv, ElementsAre("slipway-db", "migrate"));
  EXPECT_THAT(unit(plan, "database").markers_on_success, ElementsAre(Marker::kDatabaseReady));
  EXPECT_THAT(unit(plan, "migrate").markers_on_success, ElementsAre(Marker::kMigrateDone));
}

TEST(BootPlan, StopsPostgresFastThenImmediately) {
  const Plan plan = plan_of(local_postgres()).value();
  const UnitSpec& postgres = unit(plan, "postgres");
  EXPECT_THAT(postgres.stop_sequence, ElementsAre(config::StopStep{config::Signal{SIGINT}, 60s},
                                                  config::StopStep{config::Signal{SIGQUIT}, 10s}));
  EXPECT_EQ(postgres.kill_mode, config::KillMode::kProcess);
  EXPECT_EQ(postgres.restart.when, config::Restart::kOnFailure);
  EXPECT_EQ(postgres.kind, UnitKind::kService);
}

TEST(BootPlan, GivesBuiltInsTheirDocumentedCodes) {
  const Plan plan = plan_of(local_postgres()).value();
  for (const char* name : {"initdb", "postgres", "database", "migrate"}) {
    EXPECT_EQ(unit(plan, name).failure, FailureCode::kDocumented) << name;
    EXPECT_TRUE(unit(plan, name).built_in && unit(plan, name).critical) << name;
  }
  EXPECT_EQ(unit(plan, "initdb").failure_code, ExitCode::kClusterRefused);
  EXPECT_EQ(unit(plan, "postgres").failure_code, ExitCode::kDatabaseUnavailable);
  EXPECT_EQ(unit(plan, "database").failure_code, ExitCode::kDatabaseUnavailable);
  EXPECT_EQ(unit(plan, "migrate").failure_code, ExitCode::kMigrationFailed);
  EXPECT_EQ(unit(plan, "web").failure, FailureCode::kOwn);
}

TEST(BootPlan, OfAnExternalOrFileDatabaseHasNoServer) {
  config::Configuration configuration = local_postgres();
  configuration.database.postgres.local = false;
  EXPECT_THAT(names(plan_of(configuration).value()), ElementsAre("database", "migrate", "web"));
  configuration.database.backend = Backend::kSqlite;
  configuration.database.postgres.local = true;
  EXPECT_THAT(names(plan_of(configuration).value()), ElementsAre("database", "migrate", "web"));
}

TEST(BootPlan, WithoutADatabaseStillMigrates) {
  config::Configuration configuration = local_postgres();
  configuration.database.backend = Backend::kNone;
  const Plan plan = plan_of(configuration).value();
  EXPECT_THAT(names(plan), ElementsAre("migrate", "web"));
  EXPECT_THAT(edges(plan, "migrate"), ElementsAre());
}

TEST(BootPlan, WithoutMigrationsWorkersDependOnTheDatabase) {
  config::Configuration configuration = local_postgres();
  configuration.migrations.on_startup = false;
  const Plan plan = plan_of(configuration).value();
  EXPECT_THAT(names(plan), ElementsAre("initdb", "postgres", "database", "web"));
  EXPECT_THAT(edges(plan, "web"), ElementsAre("database completed"));
}

TEST(BootPlan, MayContinueAfterAFailedMigration) {
  config::Configuration configuration = local_postgres();
  configuration.migrations.on_failure = config::MigrationFailure::kContinue;
  configuration.workers["jobs"] = worker("jobs");
  configuration.workers["jobs"].depends_on["migrate"] = {};
  const Plan plan = plan_of(configuration).value();
  EXPECT_FALSE(unit(plan, "migrate").critical);
  EXPECT_THAT(edges(plan, "web"), ElementsAre("migrate completed?"));
  EXPECT_THAT(edges(plan, "jobs"), ElementsAre("migrate completed?"));
}

TEST(BootPlan, DependingOnMigrateMeansThatItIsDone) {
  config::Configuration configuration = local_postgres();
  configuration.workers["web"].depends_on["migrate"] = {Condition::kStarted, true};
  EXPECT_THAT(edges(plan_of(configuration).value(), "web"), ElementsAre("migrate completed"));
}

TEST(BootPlan, DependingOnTheDatabaseAloneDoesNotWaitForMigrations) {
  config::Configuration configuration = local_postgres();
  configuration.workers["web"].depends_on["database"] = {};
  EXPECT_THAT(edges(plan_of(configuration).value(), "web"), ElementsAre("database completed"));
}

TEST(BootPlan, OwnDependenciesAddToTheMigration) {
  config::Configuration configuration = local_postgres();
  configuration.workers["cache"] = worker("redis-server");
  configuration.workers["web"].depends_on["cache"] = {Condition::kHealthy, false};
  const Plan plan = plan_of(configuration).value();
  EXPECT_THAT(edges(plan, "web"), ElementsAre("migrate completed", "cache healthy?"));
}

TEST(BootPlan, BuiltInUnitsThatThisBootDoesNotHaveAreNoError) {
  config::Configuration configuration;
  configuration.workers["web"] = worker("gunicorn");
  configuration.workers["web"].depends_on["migrate"] = {Condition::kCompleted, true};
  configuration.workers["web"].depends_on["postgres"] = {};
  EXPECT_THAT(edges(plan_of(configuration).value(), "web"), ElementsAre());
}

TEST(BootPlan, ReplicasAreUnitsOfTheirOwn) {
  config::Configuration configuration;
  configuration.workers["app"] = worker("app");
  configuration.workers["app"].replicas = 2;
  configuration.workers["proxy"] = worker("proxy");
  configuration.workers["proxy"].depends_on["app"] = {Condition::kHealthy, true};
  const Plan plan = plan_of(configuration).value();
  EXPECT_THAT(names(plan), ElementsAre("app[0]", "app[1]", "proxy"));
  EXPECT_THAT(edges(plan, "proxy"), ElementsAre("app[0] healthy", "app[1] healthy"));
  EXPECT_EQ(unit(plan, "app[1]").launch.environment.at("REPLICA"), "1");
  EXPECT_EQ(unit(plan, "app[1]").launch.environment.at("REPLICAS"), "2");
  EXPECT_EQ(unit(plan, "app[1]").worker, "app");
  EXPECT_EQ(unit(plan, "proxy").launch.environment.at("REPLICA"), "0");
}

TEST(BootPlan, ExportsReachMigrationAndWorkers) {
  config::Configuration configuration = local_postgres();
  configuration.workers["web"].environment = {{"PGHOST", "mine"}};
  configuration.workers["jobs"] = worker("jobs");
  const Plan plan = plan_of(configuration, {"app"}).value();
  EXPECT_EQ(unit(plan, "migrate").launch.environment.at("PGHOST"), "db");
  EXPECT_EQ(unit(plan, "jobs").launch.environment.at("PGHOST"), "db");
  EXPECT_EQ(unit(plan, "main").launch.environment.at("PGHOST"), "db");
  EXPECT_EQ(unit(plan, "web").launch.environment.at("PGHOST"), "mine");
  EXPECT_FALSE(unit(plan, "postgres").launch.environment.contains("PGHOST"));
}

TEST(BootPlan, MainCommandEndsTheContainerAndWaitsLikeAWorker) {
  const Plan plan = plan_of(local_postgres(), {"app", "--serve"}).value();
  const UnitSpec& main = unit(plan, "main");
  EXPECT_THAT(main.launch.argv, ElementsAre("app", "--serve"));
  EXPECT_TRUE(main.ends_container && main.forwards_signals && main.critical);
  EXPECT_EQ(main.restart.when, config::Restart::kNo);
  EXPECT_THAT(edges(plan, "main"), ElementsAre("migrate completed"));
}

TEST(BootPlan, HttpNeedsNothingAndStopsNothing) {
  config::Configuration configuration = local_postgres();
  configuration.http.listen = "127.0.0.1:9180";
  const Plan plan = plan_of(configuration).value();
  const UnitSpec& http = unit(plan, "http");
  EXPECT_THAT(http.launch.argv, ElementsAre("slipway-web"));
  EXPECT_EQ(http.launch.user, "");  // it drops its privileges by itself
  EXPECT_FALSE(http.critical);
  EXPECT_EQ(http.restart.when, config::Restart::kAlways);
  EXPECT_TRUE(http.dependencies.empty());
}

TEST(BootPlan, WorkersKeepTheirSettings) {
  config::Configuration configuration;
  config::Worker web = worker("web");
  web.type = config::WorkerType::kOneshot;
  web.user = "app";
  web.umask = config::FileMode{027};
  web.ulimits = {{"nofile", {1024, {}}}};
  web.nice = 5;
  web.oom_score_adj = 100;
  web.cap_add = {"chown"};
  web.cap_drop = {"all"};
  web.no_new_privileges = true;
  web.stop_signal = config::Signal{SIGQUIT};
  web.stop_grace_period = 3s;
  web.critical = false;
  web.env_file = {".env"};
  configuration.workers["web"] = web;
  const Plan plan = plan_of(configuration).value();
  const UnitSpec& spec = unit(plan, "web");
  EXPECT_EQ(spec.kind, UnitKind::kOneshot);
  EXPECT_EQ(spec.restart.when, config::Restart::kNo);
  EXPECT_EQ(spec.launch.user, "app");
  EXPECT_EQ(spec.launch.umask, 027U);
  EXPECT_EQ(spec.launch.ulimits, web.ulimits);
  EXPECT_EQ(spec.launch.nice, 5);
  EXPECT_EQ(spec.launch.oom_score_adj, 100);
  EXPECT_THAT(spec.launch.cap_add, ElementsAre("chown"));
  EXPECT_THAT(spec.launch.cap_drop, ElementsAre("all"));
  EXPECT_TRUE(spec.launch.no_new_privileges);
  EXPECT_THAT(spec.launch.env_files, ElementsAre(".env"));
  EXPECT_THAT(spec.stop_sequence, ElementsAre(config::StopStep{config::Signal{SIGQUIT}, 3s}));
  EXPECT_FALSE(spec.critical);
}

TEST(BootPlan, HooksHaveTimeLimitsOfTheirOwn) {
  config::Configuration configuration;
  config::Worker web = worker("web");
  web.stop_grace_period = 3s;
  web.pre_start = web.stop_command = web.post_stop = config::Hook{config::CommandLine{{"hook"}}, std::nullopt};
  configuration.workers["usual"] = web;
  web.pre_start->timeout = web.stop_command->timeout = web.post_stop->timeout = 7s;
  configuration.workers["own"] = web;
  const Plan plan = plan_of(configuration).value();
  EXPECT_EQ(unit(plan, "usual").pre_start->timeout, 60s);
  EXPECT_EQ(unit(plan, "usual").stop_command->timeout, 3s);
  EXPECT_EQ(unit(plan, "usual").post_stop->timeout, 10s);
  EXPECT_EQ(unit(plan, "own").pre_start->timeout, 7s);
  EXPECT_EQ(unit(plan, "own").stop_command->timeout, 7s);
  EXPECT_EQ(unit(plan, "own").post_stop->timeout, 7s);
  EXPECT_THAT(unit(plan, "own").post_stop->argv, ElementsAre("hook"));
}

TEST(BootPlan, NamesTheCycle) {
  config::Configuration configuration;
  for (const char* name : {"a", "b", "c", "d"}) configuration.workers[name] = worker(name);
  configuration.workers["a"].depends_on["b"] = {};
  configuration.workers["b"].depends_on["c"] = {};
  configuration.workers["c"].depends_on["b"] = {};
  configuration.workers["d"].depends_on["a"] = {};
  EXPECT_EQ(error_of(configuration),
            "workers: depends_on goes in a circle: b -> c -> b: remove one of these dependencies");
}

TEST(BootPlan, RefusesWhatCannotBeBuilt) {
  config::Configuration base = local_postgres();
  config::Configuration self = base;
  self.workers["web"].depends_on["web"] = {};
  EXPECT_THAT(error_of(self), HasSubstr("web -> web"));
  config::Configuration unknown = base;
  unknown.workers["web"].depends_on["cahce"] = {};
  EXPECT_THAT(error_of(unknown), HasSubstr("workers.web.depends_on: there is no worker 'cahce'"));
  config::Configuration taken = base;
  taken.workers["postgres"] = worker("postgres");
  EXPECT_THAT(error_of(taken), HasSubstr("workers.postgres: this name belongs to a built-in unit"));
  config::Configuration main = base;
  main.workers["main"] = worker("main");
  EXPECT_EQ(error_of(main), "");
  EXPECT_THAT(error_of(main, {"app"}), HasSubstr("workers.main"));
  config::Configuration disabled = base;
  disabled.workers["cache"] = worker("cache");
  disabled.workers["cache"].enabled = false;
  disabled.workers["web"].depends_on["cache"] = {};
  EXPECT_THAT(error_of(disabled), HasSubstr("'cache' is disabled"));
  disabled.workers["web"].depends_on["cache"].required = false;
  EXPECT_EQ(error_of(disabled), "");
  config::Configuration many = base;
  many.workers["web"].replicas = 4'000'000'000;
  EXPECT_THAT(error_of(many), HasSubstr("workers.web.replicas"));
  config::Configuration from = base;
  from.shutdown.exit_code_from = "nobody";
  EXPECT_THAT(error_of(from), HasSubstr("shutdown.exit_code_from"));
}

TEST(BootPlan, FindsWhereTheExitCodeComesFrom) {
  config::Configuration configuration = local_postgres();
  configuration.shutdown.exit_code_from = "web";
  const Plan plan = plan_of(configuration).value();
  EXPECT_EQ(plan.units[index(*plan.exit_code_from)].name, "web");
}

TEST(BootPlan, PutsEveryUnitAfterItsDependencies) {
  config::Configuration configuration = local_postgres();
  configuration.workers["a"] = worker("a");
  configuration.workers["z"] = worker("z");
  configuration.workers["a"].depends_on["z"] = {};
  const Plan plan = plan_of(configuration, {"main"}).value();
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    for (const UnitDependency& edge : plan.units[i].dependencies) EXPECT_LT(index(edge.unit), i) << plan.units[i].name;
  }
}

}  // namespace
}  // namespace slipway::engine
