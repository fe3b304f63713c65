// From Boot to running: order, conditions, skipping.
#include "driver.hpp"

namespace slipway::engine {
namespace {

using config::Condition;

TEST(Boot, RemovesEveryMarkerBeforeAnythingStarts) {
  Driver driver({service("web")});
  driver.boot();
  ASSERT_GE(driver.last.size(), 5U);
  const std::vector<Marker> expected{Marker::kMigrateDone, Marker::kDatabaseReady, Marker::kReady, Marker::kFailed};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto* removed = std::get_if<command::RemoveMarker>(&driver.last[i]);
    ASSERT_NE(removed, nullptr) << i;
    EXPECT_EQ(removed->marker, expected[i]);
  }
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Boot, StartsUnitsWithoutDependenciesAtOnce) {
  Driver driver({service("a"), service("b")});
  driver.boot();
  EXPECT_TRUE(driver.spawns(0));
  EXPECT_TRUE(driver.spawns(1));
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
  driver.spawned(0);
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).pid, 100);
}

TEST(Boot, ASecondOneIsIgnored) {
  Driver driver({service("a")});
  driver.boot().boot();
  EXPECT_TRUE(driver.last.empty());
}

TEST(Boot, LeavesDisabledUnitsAlone) {
  UnitSpec disabled = service("off");
  disabled.enabled = false;
  Driver driver({service("web"), disabled});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.state(1), UnitState::kInactive);
  EXPECT_EQ(driver.engine.view(Driver::id(1)).reason, "disabled");
  EXPECT_TRUE(driver.engine.ready());
}

TEST(Boot, WithNothingEnabledEndsWithSuccess) {
  Driver driver(std::vector<UnitSpec>{});
  driver.boot();
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Boot, AFinishedEngineSaysNothingMore) {
  Driver driver(std::vector<UnitSpec>{});
  driver.boot().stop();
  EXPECT_TRUE(driver.last.empty());
  EXPECT_TRUE(driver.engine.finished());
}

TEST(Dependencies, StartedHoldsOnceTheProcessLives) {
  UnitSpec web = service("web");
  Driver driver({service("cache"), depends(web, 0)});
  driver.boot();
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  EXPECT_EQ(driver.engine.view(Driver::id(1)).reason, "cache is starting, not started");
  driver.spawned(0);
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, StartedOnAOneshotAlsoHoldsAfterItsSuccess) {
  UnitSpec web = service("web");
  depends(web, 0);
  depends(web, 1, Condition::kCompleted);
  Driver driver({oneshot("seed"), oneshot("slow"), web});
  driver.boot().spawned(0).spawned(1).exit(0, exited(0));
  EXPECT_EQ(driver.state(2), UnitState::kWaiting);
  driver.exit(1, exited(0));
  EXPECT_TRUE(driver.spawns(2));
}

TEST(Dependencies, HealthyWaitsForReadiness) {
  UnitSpec cache = service("cache");
  cache.ready = tcp_readiness();
  UnitSpec web = service("web");
  Driver driver({cache, depends(web, 0, Condition::kHealthy)});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.probe(0, true);
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, HealthyHoldsForARunningServiceThatCannotTell) {
  UnitSpec web = service("web");
  Driver driver({service("cache"), depends(web, 0, Condition::kHealthy)});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, CompletedWaitsForSuccess) {
  UnitSpec web = service("web");
  Driver driver({oneshot("seed"), depends(web, 0, Condition::kCompleted)});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kExited);
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, AllMustHold) {
  UnitSpec web = service("web");
  depends(web, 0);
  depends(web, 1);
  Driver driver({service("a"), service("b"), web});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.state(2), UnitState::kWaiting);
  driver.spawned(1);
  EXPECT_TRUE(driver.spawns(2));
}

TEST(Dependencies, WhatCanNeverHoldSkipsAndPropagates) {
  UnitSpec seed = oneshot("seed");
  seed.critical = false;
  UnitSpec web = service("web");
  UnitSpec behind = service("behind");
  web.critical = behind.critical = false;
  Driver driver({seed, depends(web, 0, Condition::kCompleted), depends(behind, 1), service("other")});
  driver.boot().spawned(0).spawned(3).exit(0, exited(1));
  EXPECT_EQ(driver.state(1), UnitState::kSkipped);
  EXPECT_EQ(driver.engine.view(Driver::id(1)).reason, "requires seed to be completed, which is failed");
  EXPECT_EQ(driver.state(2), UnitState::kSkipped);
  EXPECT_FALSE(driver.engine.stopping());
}

TEST(Dependencies, SkippingACriticalUnitStopsTheContainer) {
  UnitSpec seed = oneshot("seed");
  seed.critical = false;
  UnitSpec web = service("web");
  Driver driver({seed, depends(web, 0, Condition::kCompleted)});
  driver.boot().spawned(0).exit(0, exited(3));
  EXPECT_EQ(driver.finish(), 80);
  EXPECT_TRUE(driver.writes(Marker::kFailed));
}

TEST(Dependencies, OnesThatAreNotRequiredHoldNobodyBackWhenTheyFail) {
  UnitSpec seed = oneshot("seed");
  seed.critical = false;
  UnitSpec web = service("web");
  Driver driver({seed, depends(web, 0, Condition::kCompleted, false)});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.exit(0, exited(1));
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, OnesThatAreNotRequiredMayBeDisabled) {
  UnitSpec cache = service("cache");
  cache.enabled = false;
  UnitSpec web = service("web");
  Driver driver({cache, depends(web, 0, Condition::kHealthy, false)});
  driver.boot();
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Dependencies, AThousandInAChainAreNoDeepRecursion) {
  std::vector<UnitSpec> units{service("first")};
  units.front().critical = false;
  for (unsigned i = 1; i < 5000; ++i) {
    UnitSpec next = service("next");
    next.critical = false;
    units.push_back(depends(next, i - 1));
  }
  Driver driver(units);
  driver.boot().send(event::SpawnFailed{Driver::id(0), "no such file", false});
  EXPECT_EQ(driver.state(4999), UnitState::kSkipped);
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Dependencies, AUnitWhoseDependencyIsDownWaitsAfterItsBackoff) {
  UnitSpec web = restarting("web");
  Driver driver({restarting("cache"), depends(web, 0)});
  driver.boot().spawned(0).spawned(1);
  driver.exit(0, exited(1)).exit(1, exited(1));
  driver.send(event::SpawnFailed{Driver::id(0), "ignored: nothing was asked", true});
  driver.now += 100ms;
  driver.send(event::Tick{});
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.spawned(0);
  EXPECT_TRUE(driver.spawns(1));
}

}  // namespace
}  // namespace slipway::engine
