#include "programs/slipway/plan_text.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/boot_plan.hpp"

namespace slipway::program {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Inspection example() {
  Inspection inspection;
  config::Configuration& configuration = inspection.configuration;
  configuration.name = "shop";
  inspection.source = "/etc/slipway/slipway.yaml";
  inspection.secrets = {"hunter2"};
  configuration.database.backend = config::Backend::kPostgres;
  configuration.database.postgres.local = true;
  configuration.migrations.command.argv = {"alembic", "upgrade", "head"};
  configuration.migrations.user = "app";
  config::Worker web;
  web.command.argv = {"gunicorn", "--token", "hunter2", "two words"};
  web.replicas = 2;
  web.user = "app";
  web.working_dir = "/app";
  web.ready.emplace().tcp = config::TcpProbe{"127.0.0.1", 8000};
  configuration.workers["web"] = web;
  config::Worker tail;
  tail.command.argv = {"tail"};
  tail.critical = false;
  tail.depends_on["web"] = config::Dependency{config::Condition::kHealthy, false};
  configuration.workers["tail"] = tail;
  const auto plan =
      engine::build_plan({configuration, {}, "slipway-db", "slipway-web", {{"DB_URL", "postgresql://u:hunter2@h/d"}}});
  EXPECT_TRUE(plan) << plan.error().message;
  inspection.plan = *plan;
  return inspection;
}

TEST(PlanText, DescribesEachWorkerOnce) {
  const std::string text = plan_text(example(), Terminal{});
  EXPECT_THAT(text, HasSubstr("shop: 7 units, from /etc/slipway/slipway.yaml\n\n1. initdb (oneshot, built in)\n"));
  EXPECT_THAT(text, HasSubstr("5. web (service, 2 replicas)\n"
                              "   runs         gunicorn --token *** 'two words'\n"
                              "   as           app\n"
                              "   in           /app\n"
                              "   after        migrate (completed)\n"
                              "   ready        when tcp 127.0.0.1:8000 accepts, within 1m\n"
                              "   restart      on-failure, after 100ms to 30s, at most 5 starts in 1m\n"
                              "   stop         TERM, 10s, KILL\n"
                              "   if it fails  the container stops with its code, or 80\n"));
  EXPECT_THAT(text, HasSubstr("after        migrate (completed), web (healthy, not required)"));
  EXPECT_THAT(text, HasSubstr("migrates by  alembic upgrade head"));
}

TEST(PlanText, ShowsNoSecretInAnyForm) {
  const Inspection inspection = example();
  EXPECT_THAT(plan_text(inspection, Terminal{}), Not(HasSubstr("hunter2")));
  EXPECT_THAT(plan_json(inspection), Not(HasSubstr("hunter2")));
  EXPECT_THAT(graph_text(inspection, GraphFormat::kDot), Not(HasSubstr("hunter2")));
}

TEST(PlanJson, NamesEveryInstanceInOrder) {
  const auto plan = boost::json::parse(plan_json(example())).as_object();
  const auto& units = plan.at("units").as_array();
  ASSERT_EQ(units.size(), 7U);
  EXPECT_EQ(units[0].at("name").as_string(), "initdb");
  EXPECT_EQ(units[4].at("name").as_string(), "web[0]");
  EXPECT_EQ(units[5].at("name").as_string(), "web[1]");
  EXPECT_EQ(units[4].at("after").as_array()[0].at("unit").as_string(), "migrate");
  EXPECT_EQ(units[4].at("argv").as_array()[3].as_string(), "two words");
}

TEST(Graph, IsWrittenForBothPrograms) {
  Inspection inspection = example();
  inspection.configuration.name = "a \"quoted\\ name";
  const std::string dot = graph_text(inspection, GraphFormat::kDot);
  EXPECT_THAT(dot, HasSubstr("digraph \"a \\\"quoted\\\\ name\" {"));
  EXPECT_THAT(dot, HasSubstr("n3 -> n4 [label=\"completed\"];"));
  EXPECT_THAT(dot, HasSubstr("[label=\"healthy\", style=dashed];"));
  const std::string mermaid = graph_text(inspection, GraphFormat::kMermaid);
  EXPECT_THAT(mermaid, HasSubstr("flowchart LR\n  n0[\"initdb\"]\n"));
  EXPECT_THAT(mermaid, HasSubstr("n4([\"web x2\"])"));
  EXPECT_THAT(mermaid, HasSubstr("n3 -->|completed| n4"));
}

}  // namespace
}  // namespace slipway::program
