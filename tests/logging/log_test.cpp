#include "logging/log.hpp"

#include <gmock/gmock.h>

#include "logging/clock.hpp"
#include "logging/escape.hpp"
#include "logging/redaction.hpp"
#include "logging_fixture.hpp"

namespace slipway::logging {
namespace {

using config::LogFormat;
using testing::MatchesRegex;

class Logs : public LoggingTest {};

TEST_F(Logs, WritesTextLines) {
  Log log(*output, settings());
  log.write(Level::kInfo, "web[1]", "unit_started", "started", {{"pid", 42}, {"fast", true}, {"why", "a \"b\"=c"}});
  log.warning("careful");
  EXPECT_EQ(read_all(), "INFO  web[1] started pid=42 fast=true why=\"a \\\"b\\\"=c\"\nWARN  careful\n");
}

TEST_F(Logs, WritesTheTime) {
  Log log(*output, settings(LogFormat::kText, true));
  log.error("x");
  EXPECT_THAT(read_all(), MatchesRegex("20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]\\."
                                       "[0-9][0-9][0-9]Z ERROR x\n"));
}

TEST_F(Logs, WritesJson) {
  Log log(*output, settings(LogFormat::kJson));
  log.write(Level::kWarning, "w\"eb", "unit_exited", "bad\nnews", {{"pid", -1}, {"text", "\xff\x01"}});
  EXPECT_THAT(read_all(), MatchesRegex("\\{\"time\":\"[^\"]*Z\",\"level\":\"warning\",\"unit\":\"w\\\\\"eb\",\"event\":"
                                       "\"unit_exited\",\"msg\":\"bad\\\\nnews\",\"pid\":-1,"
                                       "\"text\":\"\xEF\xBF\xBD\\\\u0001\"\\}\n"));
}

TEST_F(Logs, FiltersByLevel) {
  config::Logging quiet = settings();
  quiet.level = Level::kWarning;
  Log log(*output, quiet);
  log.info("no");
  log.debug("no");
  log.warning("yes");
  EXPECT_EQ(read_all(), "WARN  yes\n");
}

TEST_F(Logs, CannotBeBrokenByHostileText) {
  Log log(*output, settings());
  log.write(Level::kInfo, "a\nb", {}, "x\r\n2026 INFO fake \033[2J \xC2\x9B tab\t\x7f",
            {{"name", "v\n"}, {"other", "\xe4\xb8\x96 \xff"}});
  EXPECT_EQ(read_all(),
            "INFO  a\\nb x\\r\\n2026 INFO fake \\x1b[2J \\x9b tab\\t\\x7f name=v\\n "
            "other=\"\xe4\xb8\x96 \xff\"\n");
}

TEST_F(Logs, ColorsOnlyWhenAsked) {
  config::Logging colored = settings();
  colored.color = config::Color::kAlways;
  Log log(*output, colored);
  std::string seen;
  log.observe([&](Level, std::string_view line) { seen = line; });
  log.info("x");
  EXPECT_EQ(read_all(), "\033[32mINFO  \033[0mx\n");
  EXPECT_EQ(seen, "INFO  x");
}

TEST_F(Logs, RedactsSecrets) {
  Log log(*output, settings());
  log.redact({"p@ss", "p@ss word", "x", ""});
  log.write(Level::kInfo, "unit", {}, "url postgres://u:p%40ss%20word@h p@ss word p@ss x", {{"dsn", "p%40ss"}});
  EXPECT_EQ(read_all(), "INFO  unit url postgres://u:***@h *** *** x dsn=***\n");
}

TEST(Redacting, ReplacesTheLongestFirst) {
  const Redaction redaction({"ab", "abcd", "**"});
  EXPECT_EQ(redaction.apply("abcd ab ** %2A%2a"), "*** *** *** %2A%2a");
  EXPECT_EQ(Redaction().apply("same"), "same");
}

TEST(Time, FormatsUtcWithMilliseconds) {
  Timestamp timestamp;
  const auto at = [&](long long milliseconds) {
    return std::string(
        timestamp.format(std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds))));
  };
  EXPECT_EQ(at(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(at(1795250400123), "2026-11-21T08:40:00.123Z");
  EXPECT_EQ(at(1795250400999), "2026-11-21T08:40:00.999Z");
  EXPECT_EQ(at(1795250401000), "2026-11-21T08:40:01.000Z");
  EXPECT_EQ(at(951782399999), "2000-02-28T23:59:59.999Z");
}

}  // namespace
}  // namespace slipway::logging
