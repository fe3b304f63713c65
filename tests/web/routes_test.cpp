#include "web/routes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::web {
namespace {

using ::testing::HasSubstr;

control::Snapshot not_ready() {
  control::Snapshot snapshot;
  control::UnitStatus unit;
  unit.name = "web";
  unit.kind = "service";
  unit.state = "failed";
  snapshot.units = {unit};
  return snapshot;
}

TEST(Routes, ReadyIsNotAlive) {
  EXPECT_EQ(respond("GET", "/livez", not_ready()).status, 200U);
  const Response response = respond("GET", "/readyz", not_ready());
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(response.body, "not ready: web is failed\n");
  control::Snapshot ready;
  ready.container.ready = true;
  EXPECT_EQ(respond("HEAD", "/readyz?verbose", ready).status, 200U);
}

TEST(Routes, StatusIsJson) {
  const Response response = respond("GET", "/status", not_ready());
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_THAT(response.body, HasSubstr("\"name\":\"web\""));
}

TEST(Routes, NothingElseExists) {
  for (const char* target : {"/", "", "*", "/status/", "//status", "/../status", "/%73tatus", "http://x/status"}) {
    EXPECT_FALSE(needs_snapshot("GET", target)) << target;
    EXPECT_EQ(respond("GET", target, not_ready()).status, 404U) << target;
  }
}

TEST(Routes, NothingCanBeChanged) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_FALSE(needs_snapshot(method, "/status"));
    EXPECT_EQ(respond(method, "/status", not_ready()).status, 405U);
    EXPECT_TRUE(respond(method, "/status", not_ready()).allow);
  }
}

TEST(Routes, SayThatSlipwayDoesNotAnswer) {
  for (const char* target : {"/livez", "/readyz", "/status", "/metrics"}) {
    EXPECT_EQ(respond("GET", target, failure(ExitCode::kInternal, "no answer in time")).status, 503U);
  }
}

}  // namespace
}  // namespace slipway::web
