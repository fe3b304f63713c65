#include "web/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::web {
namespace {

using ::testing::HasSubstr;

TEST(Metrics, CountUnitsByState) {
  control::Snapshot snapshot;
  snapshot.container.name = "a\"b\\c\nd";
  snapshot.container.ready = true;
  snapshot.container.uptime = std::chrono::milliseconds(12345);
  control::UnitStatus unit;
  unit.name = "web[0]";
  unit.worker = "web";
  unit.state = "ready";
  unit.pid = 7;
  unit.restarts = 3;
  unit.since = std::chrono::milliseconds(1001);
  snapshot.units = {unit, unit};
  const std::string text = metrics_text(snapshot);
  EXPECT_THAT(text, HasSubstr("slipway_info{name=\"a\\\"b\\\\c\\nd\",version=\"\",boot_id=\"\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_ready 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_uptime_seconds 12.345\n"));
  EXPECT_THAT(text, HasSubstr("slipway_units{state=\"ready\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("slipway_units{state=\"failed\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("slipway_unit_restarts_total{unit=\"web[0]\",worker=\"web\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("slipway_unit_up{unit=\"web[0]\",worker=\"web\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("slipway_unit_state_seconds{unit=\"web[0]\",worker=\"web\"} 1.001\n"));
  EXPECT_EQ(text.back(), '\n');
}

}  // namespace
}  // namespace slipway::web
