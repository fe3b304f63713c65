#include "programs/slipway/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/slipway/run.hpp"
#include "served.hpp"

namespace slipway::program {

/// Stands for run.cpp: what the command line made of `run`.
RunOptions last_run;
int run_command(const RunOptions& options) {
  last_run = options;
  return 42;
}

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Printed {
  int code = 0;
  std::string out;
  std::string err;
};

Printed slipway(const std::vector<const char*>& words) {
  std::vector<const char*> argv{"slipway"};
  argv.insert(argv.end(), words.begin(), words.end());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Printed printed;
  printed.code = command_line(static_cast<int>(argv.size()), argv.data());
  printed.out = ::testing::internal::GetCapturedStdout();
  printed.err = ::testing::internal::GetCapturedStderr();
  return printed;
}

TEST(CommandLine, TakesWhatFollowsTheDashesVerbatim) {
  EXPECT_EQ(slipway({"run", "--config", "c.yaml", "--", "sh", "-c", "--", "--help", "", "[a,b]", "run"}).code, 42);
  EXPECT_EQ(last_run.config, "c.yaml");
  EXPECT_THAT(last_run.command, ElementsAre("sh", "-c", "--", "--help", "", "[a,b]", "run"));
}

TEST(CommandLine, RunNeedsNeitherConfigurationNorCommand) {
  EXPECT_EQ(slipway({"run"}).code, 42);
  EXPECT_THAT(last_run.config, IsEmpty());
  EXPECT_THAT(last_run.command, IsEmpty());
  EXPECT_EQ(slipway({"run", "--"}).code, 42);
  EXPECT_THAT(last_run.command, IsEmpty());
  EXPECT_EQ(slipway({"run", "-c", "x"}).code, 42);
  EXPECT_EQ(slipway({"run", "--config=y"}).code, 42);
  EXPECT_EQ(last_run.config, "y");
}

TEST(CommandLine, UsageErrorsEndWith64AndAHint) {
  const std::vector<std::vector<const char*>> wrong = {{},
                                                       {"bogus"},
                                                       {"run", "nginx"},
                                                       {"run", "--confg", "x"},
                                                       {"status", "--jsn"},
                                                       {"stop"},
                                                       {"signal", "HUP"},
                                                       {"wait", "--for", "godot"},
                                                       {"graph", "--format", "png"},
                                                       {"completion", "csh"},
                                                       {"logs", "-n", "-1"},
                                                       {"--bogus"},
                                                       {"run", "--config"}};
  for (const auto& words : wrong) {
    const Printed printed = slipway(words);
    EXPECT_EQ(printed.code, 64) << printed.err;
    EXPECT_THAT(printed.err, ::testing::AnyOf(HasSubstr("--help"), HasSubstr("`--`")));
    EXPECT_THAT(printed.out, IsEmpty());
  }
  EXPECT_THAT(slipway({"run", "nginx"}).err, HasSubstr("slipway run -- COMMAND"));
  EXPECT_THAT(slipway({"bogus"}).err, HasSubstr("bogus: no such command"));
}

TEST(CommandLine, BadWordsForTimeAndSignalsAreUsageErrorsToo) {
  EXPECT_EQ(slipway({"wait", "--socket", "/nonexistent", "--timeout", "ten"}).code, 64);
  EXPECT_EQ(slipway({"stop", "--socket", "/nonexistent", "--timeout", "10", "web"}).code, 64);
  EXPECT_EQ(slipway({"signal", "--socket", "/nonexistent", "SIGNOPE", "web"}).code, 64);
}

TEST(CommandLine, HelpAndVersionAreAnswers) {
  EXPECT_EQ(slipway({"--version"}).code, 0);
  EXPECT_THAT(slipway({"--version"}).out, HasSubstr("slipway "));
  EXPECT_THAT(slipway({"--help"}).out, HasSubstr("completion"));
  EXPECT_THAT(slipway({"run", "--help"}).out, HasSubstr("--config"));
}

TEST(CommandLine, WithoutASlipwaySaysSo) {
  for (const char* command : {"status", "logs"}) {
    const Printed printed = slipway({command, "--socket", "/nonexistent/x.sock"});
    EXPECT_EQ(printed.code, 1);
    EXPECT_THAT(printed.err, HasSubstr("no Slipway runs here (/nonexistent/x.sock)"));
  }
  EXPECT_EQ(slipway({"wait", "--for", "stopped", "--socket", "/nonexistent/x.sock"}).code, 0);
  EXPECT_EQ(slipway({"wait", "--socket", "/nonexistent/x.sock"}).code, 1);
  const Printed health = slipway({"health", "--socket", "/nonexistent/x.sock"});
  EXPECT_EQ(health.code, 1);
  EXPECT_THAT(health.out, HasSubstr("not ready: no Slipway runs here"));
}

class Commands : public control::Served {
 protected:
  Printed slipway_here(std::vector<const char*> words) {
    words.insert(words.begin() + 1, {"--socket", options_.path.c_str()});
    return slipway(words);
  }
};

TEST_F(Commands, StatusPrintsATableOrJson) {
  serve();
  EXPECT_THAT(slipway_here({"status"}).out, HasSubstr("\nweb[0]   service  running"));
  const auto status = boost::json::parse(slipway_here({"ps", "--json"}).out);
  EXPECT_EQ(status.at("units").as_array().size(), 4U);
  EXPECT_EQ(status.at("container").at("name").as_string(), "app");
}

TEST_F(Commands, HealthIsZeroOnlyWhenReady) {
  serve();
  EXPECT_EQ(slipway_here({"health"}).code, 1);
  on_loop([this] { handler_.status.ready = true; });
  EXPECT_EQ(slipway_here({"health"}).code, 0);
}

TEST_F(Commands, StopWaitsAndThenSaysWhatHoldsItUp) {
  serve();
  const Printed printed = slipway_here({"stop", "--timeout", "50ms", "web[1]"});
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.err, HasSubstr("slipway stop: not done after 50ms\nslipway stop: web[1] is stopping"));
  EXPECT_EQ(slipway_here({"stop", "--no-wait", "cache"}).code, 0);
}

TEST_F(Commands, SignalsGoToEveryReplica) {
  serve();
  EXPECT_EQ(slipway_here({"signal", "usr1", "web"}).code, 0);
  EXPECT_THAT(on_loop([this] { return handler_.calls; }),
              ElementsAre(control::FakeHandler::Call{control::Verb::kSignal, 1, 10},
                          control::FakeHandler::Call{control::Verb::kSignal, 2, 10}));
}

TEST_F(Commands, UnknownUnitsAreRefused) {
  serve();
  const Printed printed = slipway_here({"restart", "wbe"});
  EXPECT_EQ(printed.code, 1);
  EXPECT_EQ(printed.err, "slipway restart: wbe: no such unit; did you mean 'web'?\n");
}

TEST_F(Commands, WaitReportsWhatIsMissing) {
  handler_.units[3].state = "failed";
  serve();
  const Printed printed = slipway_here({"wait", "--timeout", "50ms"});
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.err, HasSubstr("not ready after 50ms: cache is failed"));
  on_loop([this] { handler_.status.migrated = true; });
  EXPECT_EQ(slipway_here({"wait", "--for", "migrated"}).code, 0);
}

TEST_F(Commands, LogsPrintTheirUnit) {
  handler_.lines = {{1, {}, "hello"}, {control::kSlipway, {}, "boot"}};
  serve();
  EXPECT_EQ(slipway_here({"logs"}).out,
            "1970-01-01T00:00:00.000Z web[0] | hello\n1970-01-01T00:00:00.000Z slipway | boot\n");
  EXPECT_EQ(slipway_here({"logs", "-n", "1", "web"}).out, "1970-01-01T00:00:00.000Z web[0] | hello\n");
}

}  // namespace
}  // namespace slipway::program
