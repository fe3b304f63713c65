#include "control/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_handler.hpp"

namespace slipway::control {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Requests : public ::testing::Test {
 protected:
  Requests() {
    handler_.units = {make_unit("migrate", "exited", "oneshot"), make_unit("web[0]", "running"),
                      make_unit("web[1]", "running"), make_unit("cache", "inactive")};
    handler_.units[1].pid = 100;
    handler_.units[2].pid = 101;
  }

  static Request act(Verb verb, std::vector<std::string> units) {
    Request request;
    request.operation = Operation::kAct;
    request.verb = verb;
    request.units = std::move(units);
    return request;
  }

  static std::string error_of(const boost::json::object& reply) { return std::string(reply.at("error").as_string()); }

  FakeHandler handler_;
};

TEST_F(Requests, StartAnswersWhenTheServiceRuns) {
  Outcome outcome = answer(act(Verb::kStart, {"cache"}), handler_, false);
  ASSERT_TRUE(outcome.waiting);
  EXPECT_FALSE(outcome.waiting->look(handler_));
  handler_.units[3].state = "ready";
  const auto reply = outcome.waiting->look(handler_);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->at("ok").as_bool());
  EXPECT_THAT(handler_.calls, ElementsAre(FakeHandler::Call{Verb::kStart, 3, 0}));
}

TEST_F(Requests, StartThatFailsSaysWhy) {
  Outcome outcome = answer(act(Verb::kStart, {"cache"}), handler_, false);
  handler_.units[3].state = "failed";
  handler_.units[3].reason = "5 starts in 60s";
  const auto reply = outcome.waiting->look(handler_);
  ASSERT_TRUE(reply);
  EXPECT_EQ(error_of(*reply), "cache: start: it is failed: 5 starts in 60s");
}

TEST_F(Requests, StopAnswersWhenEveryReplicaHasEnded) {
  Outcome outcome = answer(act(Verb::kStop, {"web"}), handler_, false);
  ASSERT_TRUE(outcome.waiting);
  handler_.units[1].state = "inactive";
  EXPECT_FALSE(outcome.waiting->look(handler_));
  handler_.units[2].state = "exited";
  EXPECT_TRUE(outcome.waiting->look(handler_));
}

TEST_F(Requests, RestartIsNotOverWhileTheOldProcessRuns) {
  Outcome outcome = answer(act(Verb::kRestart, {"web[0]"}), handler_, false);
  handler_.units[1].state = "running";
  EXPECT_FALSE(outcome.waiting->look(handler_)) << "the pid is the old one's";
  handler_.units[1].pid = 200;
  EXPECT_TRUE(outcome.waiting->look(handler_));
}

TEST_F(Requests, OneshotIsStartedWhenItHasFinished) {
  Outcome outcome = answer(act(Verb::kStart, {"migrate"}), handler_, false);
  handler_.units[0].state = "running";
  EXPECT_FALSE(outcome.waiting->look(handler_));
  handler_.units[0].state = "exited";
  EXPECT_TRUE(outcome.waiting->look(handler_)->at("ok").as_bool());
}

TEST_F(Requests, AJobIsStartedOnceInAnInstanceThatIsFreeAndAnsweredWhenTheRunIsOver) {
  handler_.units = {make_unit("job[0]", "running", "scheduled"), make_unit("job[1]", "scheduled", "scheduled"),
                    make_unit("job[2]", "scheduled", "scheduled")};
  handler_.units[0].pid = 100;
  Outcome outcome = answer(act(Verb::kStart, {"job"}), handler_, false);
  EXPECT_THAT(handler_.calls, ElementsAre(FakeHandler::Call{Verb::kStart, 1, 0}));
  ASSERT_TRUE(outcome.waiting);
  EXPECT_FALSE(outcome.waiting->look(handler_));
  handler_.units[1].state = "scheduled";
  handler_.units[1].reason = "the last run failed: exited with code 3";
  const auto reply = outcome.waiting->look(handler_);
  ASSERT_TRUE(reply);
  EXPECT_EQ(error_of(*reply), "job[1]: start: it is scheduled: the last run failed: exited with code 3");
}

TEST_F(Requests, RefusalsAreReportedPerUnit) {
  handler_.refuse_with = "the container is stopping";
  const Outcome outcome = answer(act(Verb::kStart, {"web"}), handler_, false);
  ASSERT_TRUE(outcome.reply);
  EXPECT_EQ(error_of(*outcome.reply),
            "web[0]: start: the container is stopping\nweb[1]: start: the container is stopping");
  EXPECT_EQ(outcome.reply->at("code").as_string(), "refused");
}

TEST_F(Requests, RefusalsAreReportedWithoutWaitingToo) {
  handler_.refuse_with = "no";
  Request request = act(Verb::kStop, {"cache"});
  request.wait = false;
  EXPECT_FALSE(answer(request, handler_, false).reply->at("ok").as_bool());
  handler_.refuse_with.clear();
  EXPECT_TRUE(answer(request, handler_, false).reply->at("ok").as_bool());
}

TEST_F(Requests, UnknownUnitTouchesNothing) {
  const Outcome outcome = answer(act(Verb::kStop, {"web", "wbe"}), handler_, false);
  EXPECT_EQ(outcome.reply->at("code").as_string(), "unknown_unit");
  EXPECT_THAT(error_of(*outcome.reply), HasSubstr("did you mean 'web'?"));
  EXPECT_TRUE(handler_.calls.empty());
}

TEST_F(Requests, WaitEndsWhenTheContainerCannotBecomeReady) {
  Request request;
  request.operation = Operation::kWait;
  Outcome outcome = answer(request, handler_, false);
  ASSERT_TRUE(outcome.waiting);
  handler_.status.state = ContainerState::kStopping;
  EXPECT_THAT(error_of(*outcome.waiting->look(handler_)), HasSubstr("stopping"));
}

TEST_F(Requests, AnObserverMayLookButNotActNorReadLogs) {
  Request logs;
  logs.operation = Operation::kLogs;
  EXPECT_EQ(answer(act(Verb::kStop, {"web"}), handler_, true).reply->at("code").as_string(), "forbidden");
  EXPECT_EQ(answer(logs, handler_, true).reply->at("code").as_string(), "forbidden");
  EXPECT_TRUE(handler_.calls.empty());
  EXPECT_TRUE(answer(Request{}, handler_, true).reply->at("ok").as_bool());
}

TEST_F(Requests, HealthNamesTheCulprit) {
  handler_.units[3].state = "failed";
  handler_.units[3].reason = "exit 3";
  Request request;
  request.operation = Operation::kHealth;
  const Outcome outcome = answer(request, handler_, false);
  EXPECT_FALSE(outcome.reply->at("ready").as_bool());
  EXPECT_EQ(outcome.reply->at("why").as_string(), "cache is failed: exit 3");
}

TEST_F(Requests, LogsComeWithTheirUnitsName) {
  handler_.lines = {{1, {}, "from web"}, {kSlipway, {}, "from PID 1"}};
  Request request;
  request.operation = Operation::kLogs;
  const Outcome outcome = answer(request, handler_, false);
  const auto& lines = outcome.reply->at("lines").as_array();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("unit").as_string(), "web[0]");
  EXPECT_EQ(lines[1].at("unit").as_string(), "slipway");
  EXPECT_FALSE(outcome.following);
  EXPECT_FALSE(outcome.reply->contains("uncaptured"));
}

TEST_F(Requests, LogsOfAUnitThatIsNotCapturedSaySo) {
  handler_.uncaptured = 1;
  Request request;
  request.operation = Operation::kLogs;
  request.units = {"web"};
  const Outcome outcome = answer(request, handler_, false);
  const auto& names = outcome.reply->at("uncaptured").as_array();
  ASSERT_EQ(names.size(), 1U);
  EXPECT_EQ(names[0].as_string(), "web[0]");
}

TEST_F(Requests, ReloadAnswersWhenItIsInForceAndWhatItStartsIsUp) {
  Request request;
  request.operation = Operation::kReload;
  Outcome outcome = answer(request, handler_, false);
  EXPECT_THAT(handler_.replans, ElementsAre("reload"));
  ASSERT_TRUE(outcome.waiting);
  EXPECT_FALSE(outcome.waiting->look(handler_));
  ReplanReport report;
  report.applied = true;
  report.changes = {{"cache", "start", {"added"}}};
  report.started = {3};
  handler_.replanned = report;
  handler_.units[3].state = "starting";
  EXPECT_FALSE(outcome.waiting->look(handler_));
  handler_.units[3].state = "running";
  const auto reply = outcome.waiting->look(handler_);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->at("ok").as_bool());
  EXPECT_EQ(boost::json::serialize(reply->at("changes")), R"([{"name":"cache","action":"start","why":["added"]}])");
}

TEST_F(Requests, ARefusedReloadSaysWhyAndObserversMayNotAsk) {
  Request request;
  request.operation = Operation::kReload;
  request.dry_run = true;
  handler_.replanned = ReplanReport{};
  handler_.replanned->error = "x.yaml:1:1: no";
  const Outcome outcome = answer(request, handler_, false);
  ASSERT_TRUE(outcome.reply);
  EXPECT_EQ(error_of(*outcome.reply), "x.yaml:1:1: no");
  EXPECT_THAT(handler_.replans, ElementsAre("reload --dry-run"));
  EXPECT_THAT(error_of(*answer(request, handler_, true).reply), HasSubstr("only look"));
}

TEST_F(Requests, ScaleNamesTheWorkerAndTheNumber) {
  Request request;
  request.operation = Operation::kScale;
  request.worker = "web";
  request.replicas = 4;
  const auto parsed = parse_request(serialize(request));
  ASSERT_TRUE(parsed);
  static_cast<void>(answer(*parsed, handler_, false));
  EXPECT_THAT(handler_.replans, ElementsAre("scale web 4"));
  EXPECT_FALSE(parse_request(R"({"do":"scale","worker":"web"})"));
  EXPECT_FALSE(parse_request(R"({"do":"scale","replicas":2})"));
}

}  // namespace
}  // namespace slipway::control
