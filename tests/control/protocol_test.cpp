#include "control/protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace slipway::control {
namespace {

using ::testing::HasSubstr;

Request parsed(const Request& request) {
  const std::string line = serialize(request);
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto result = parse_request(std::string_view(line).substr(0, line.size() - 1));
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(Request{});
}

TEST(Protocol, ActionsSurviveTheRoundTrip) {
  for (const Verb verb : {Verb::kStart, Verb::kStop, Verb::kRestart, Verb::kSignal}) {
    Request request;
    request.operation = Operation::kAct;
    request.verb = verb;
    request.units = {"web", "web[1]", "with \"quotes\" and \n", "\xF0\x9F\x9A\xA2"};
    request.signal = 10;
    request.wait = false;
    const Request back = parsed(request);
    EXPECT_EQ(back.operation, Operation::kAct);
    EXPECT_EQ(back.verb, verb);
    EXPECT_EQ(back.units, request.units);
    EXPECT_EQ(back.signal, 10);
    EXPECT_FALSE(back.wait);
  }
}

TEST(Protocol, TheOtherOperationsSurviveTheRoundTrip) {
  Request logs;
  logs.operation = Operation::kLogs;
  logs.lines = 7;
  logs.follow = true;
  EXPECT_EQ(parsed(logs).lines, 7U);
  EXPECT_TRUE(parsed(logs).follow);
  Request wait;
  wait.operation = Operation::kWait;
  wait.milestone = Milestone::kMigrated;
  EXPECT_EQ(parsed(wait).milestone, Milestone::kMigrated);
  for (const Operation operation : {Operation::kStatus, Operation::kHealth, Operation::kObserve}) {
    Request request;
    request.operation = operation;
    EXPECT_EQ(parsed(request).operation, operation);
  }
}

TEST(Protocol, TheTimesOfAJobSurviveTheRoundTrip) {
  UnitStatus unit;
  unit.kind = "scheduled";
  unit.next_run = std::chrono::system_clock::from_time_t(1795420800) + std::chrono::milliseconds(250);
  unit.skipped_runs = 3;
  const auto object = to_json(unit);
  EXPECT_EQ(object.at("next_run").as_string(), "2026-11-23T08:00:00.250Z");
  EXPECT_TRUE(object.at("last_run").is_null());
  const UnitStatus back = unit_from_json(object);
  EXPECT_EQ(back.next_run, unit.next_run);
  EXPECT_FALSE(back.last_run);
  EXPECT_EQ(back.skipped_runs, 3U);
}

TEST(Protocol, SnapshotsSurviveTheRoundTrip) {
  Snapshot snapshot;
  snapshot.container.name = "integra \"mon\"";
  snapshot.container.state = ContainerState::kDegraded;
  snapshot.container.migrated = true;
  snapshot.container.pid = 1;
  snapshot.container.uptime = std::chrono::milliseconds(123456789);
  UnitStatus unit;
  unit.name = "web[1]";
  unit.worker = "web";
  unit.kind = "service";
  unit.state = "backoff";
  unit.restarts = 3;
  unit.last_exit = LastExit{"killed by SIGKILL", 137};
  unit.reason = "starts again in 400ms";
  unit.ready_by = "tcp 127.0.0.1:8000";
  unit.status = "Serving";
  unit.reloading = true;
  unit.enabled = false;
  snapshot.units = {unit, UnitStatus{}};
  const Snapshot back = snapshot_from_json(to_json(snapshot));
  EXPECT_EQ(back.container.name, snapshot.container.name);
  EXPECT_EQ(back.container.state, ContainerState::kDegraded);
  EXPECT_TRUE(back.container.migrated);
  EXPECT_EQ(back.container.uptime, snapshot.container.uptime);
  ASSERT_EQ(back.units.size(), 2U);
  EXPECT_EQ(back.units[0].name, "web[1]");
  EXPECT_EQ(back.units[0].last_exit->text, "killed by SIGKILL");
  EXPECT_EQ(back.units[0].last_exit->code, 137);
  EXPECT_EQ(back.units[0].restarts, 3U);
  EXPECT_EQ(back.units[0].status, "Serving");
  EXPECT_TRUE(back.units[0].reloading);
  EXPECT_FALSE(back.units[0].enabled);
  EXPECT_FALSE(back.units[1].last_exit);
}

struct BadRequest {
  const char* line;
  const char* complaint;
};

class BadRequests : public ::testing::TestWithParam<BadRequest> {};

TEST_P(BadRequests, AreRefusedWithAReason) {
  const auto result = parse_request(GetParam().line);
  ASSERT_FALSE(result) << GetParam().line;
  EXPECT_THAT(result.error().message, HasSubstr(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(Protocol, BadRequests,
                         ::testing::Values(BadRequest{"", "JSON object"}, BadRequest{"[]", "JSON object"},
                                           BadRequest{"{", "JSON object"}, BadRequest{"{}", "do: unknown"},
                                           BadRequest{R"({"do":7})", "do: unknown"},
                                           BadRequest{R"({"do":"explode"})", "do: unknown"},
                                           BadRequest{R"({"do":"status"} {"do":"status"})", "JSON object"},
                                           BadRequest{R"({"v":2,"do":"status"})", "speaks version 1"},
                                           BadRequest{R"({"v":"1","do":"status"})", "speaks version 1"},
                                           BadRequest{R"({"do":"stop"})", "name at least one"},
                                           BadRequest{R"({"do":"stop","units":"web"})", "list of names"},
                                           BadRequest{R"({"do":"stop","units":[1]})", "list of names"},
                                           BadRequest{R"({"do":"stop","units":[""]})", "list of names"},
                                           BadRequest{R"({"do":"signal","units":["web"]})", "signal"},
                                           BadRequest{R"({"do":"signal","units":["web"],"signal":65})", "1 to 64"},
                                           BadRequest{R"({"do":"signal","units":["web"],"signal":1e3})", "1 to 64"},
                                           BadRequest{R"({"do":"signal","units":["web"],"signal":-9})", "1 to 64"},
                                           BadRequest{R"({"do":"logs","lines":-1})", "0 to 100000"},
                                           BadRequest{R"({"do":"wait","for":"godot"})", "ready, migrated or stopped"},
                                           BadRequest{"{\"do\":\"stop\",\"units\":[\"\xff\"]}", "JSON object"}));

TEST(Protocol, DeepNestingIsRefusedNotFollowed) { EXPECT_FALSE(parse_request(R"({"do":)" + std::string(60000, '['))); }

TEST(Protocol, RandomBytesNeverPassForARequest) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 20000; ++round) {
    std::string line = round % 2 == 0 ? R"({"v":1,"do":"restart","units":["web"],"wait":true})" : std::string(40, ' ');
    for (int edits = 0; edits < 4; ++edits) line[random() % line.size()] = static_cast<char>(random());
    const auto result = parse_request(line);
    if (!result) {
      EXPECT_FALSE(result.error().message.empty()) << "seed " << seed;
    }
  }
}

TEST(ValidUtf8, KeepsWhatIsValidAndMarksTheRest) {
  EXPECT_EQ(valid_utf8("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\xA2"), "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x9A\xA2");
  EXPECT_EQ(valid_utf8("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("a\xC3"), "a\xEF\xBF\xBD");
  EXPECT_EQ(valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong
  EXPECT_EQ(valid_utf8("\xED\xA0\x80").find("\xED"), std::string::npos);  // surrogate
  EXPECT_EQ(valid_utf8(std::string_view("\0x", 2)), std::string_view("\0x", 2));
}

TEST(UtcTime, HasMilliseconds) {
  EXPECT_EQ(utc_time(std::chrono::system_clock::time_point(std::chrono::milliseconds(1))), "1970-01-01T00:00:00.001Z");
}

}  // namespace
}  // namespace slipway::control
