// Another plan comes into force: what differs is replaced, what does not keeps running.
#include "driver.hpp"
#include "engine/reconcile.hpp"

namespace slipway::engine {
namespace {

using config::Condition;

UnitSpec changed(UnitSpec unit) {
  unit.launch.argv.push_back("changed");
  return unit;
}

UnitSpec replica(std::string worker, unsigned number, unsigned count) {
  UnitSpec unit = service(std::move(worker));
  unit.replica = number;
  unit.replicas = count;
  if (count > 1) unit.name = unit.worker + "[" + std::to_string(number) + "]";
  unit.launch.environment["REPLICA"] = std::to_string(number);
  unit.launch.environment["REPLICAS"] = std::to_string(count);
  return unit;
}

Plan plan_of(std::vector<UnitSpec> units) { return Plan{std::move(units), 120s, std::nullopt}; }

/// Boots services that run at once.
Driver& up(Driver& driver, unsigned count) {
  driver.boot();
  for (unsigned i = 0; i < count; ++i) driver.spawned(i);
  return driver;
}

bool in_force(const Driver& driver) {
  return Driver::count_if<command::Replan>(driver.last, [](const auto&) { return true; }) == 1;
}

TEST(Reload, LeavesUnchangedUnitsAlone) {
  Driver driver({service("a"), service("b")});
  up(driver, 2);
  const int pid = driver.engine.view(Driver::id(0)).pid;
  driver.send(event::Reload{plan_of({service("a"), changed(service("b"))})});
  EXPECT_FALSE(driver.signals(0, SIGTERM));
  EXPECT_TRUE(driver.signals(1, SIGTERM));
  driver.exit(1, signaled(SIGTERM));
  EXPECT_TRUE(in_force(driver));
  EXPECT_TRUE(driver.spawns(1));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).pid, pid);
}

TEST(Reload, OfTheSamePlanChangesNothing) {
  Driver driver({service("a")});
  up(driver, 1).send(event::Reload{plan_of({service("a")})});
  EXPECT_TRUE(in_force(driver));
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
}

TEST(Reload, StopsInReverseOrderAndStartsInOrder) {
  UnitSpec web = service("web");
  depends(web, 0, Condition::kHealthy);
  Driver driver({service("cache"), web});
  up(driver, 2);
  UnitSpec next_web = changed(web);
  driver.send(event::Reload{plan_of({changed(service("cache")), next_web})});
  EXPECT_FALSE(driver.signals(0, SIGTERM));
  EXPECT_TRUE(driver.signals(1, SIGTERM));
  driver.exit(1, exited(0));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_TRUE(driver.spawns(0));
  EXPECT_FALSE(driver.spawns(1));
  driver.spawned(0);
  EXPECT_TRUE(driver.spawns(1));
}

TEST(Reload, StopsWithTheOldSequence) {
  UnitSpec web = service("web");
  web.stop_sequence = {{config::Signal{SIGINT}, 5s}};
  Driver driver({web});
  up(driver, 1);
  UnitSpec next = web;
  next.stop_sequence = {{config::Signal{SIGQUIT}, 1s}};
  driver.send(event::Reload{plan_of({next})});
  EXPECT_TRUE(driver.signals(0, SIGINT));
  EXPECT_FALSE(driver.wait(4s).signals_anything());
  EXPECT_TRUE(driver.wait(1s).signals(0, SIGKILL));
}

TEST(Reload, AddsAndTakesAway) {
  Driver driver({service("a"), service("b")});
  up(driver, 2).send(event::Reload{plan_of({service("b"), service("c")})});
  driver.exit(0, exited(0));
  ASSERT_TRUE(in_force(driver));
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_TRUE(driver.engine.plan().units[0].removed);
  EXPECT_EQ(driver.engine.plan().units[1].name, "b");
  EXPECT_TRUE(driver.spawns(2));
  // The next one to come takes the free place.
  driver.spawned(2).send(event::Reload{plan_of({service("b"), service("c"), service("d")})});
  EXPECT_EQ(driver.engine.plan().units[0].name, "d");
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Reload, KeepsBackoffAndLimitsOfUnchangedUnits) {
  Driver driver({restarting("a"), service("b")});
  up(driver, 2).exit(0, exited(1));
  ASSERT_EQ(driver.state(0), UnitState::kBackoff);
  const auto due = driver.engine.next_deadline();
  driver.send(event::Reload{plan_of({restarting("a"), service("b"), service("c")})});
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
  EXPECT_EQ(driver.engine.next_deadline(), due);
  EXPECT_TRUE(driver.wait_for_deadline().spawns(0));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).restarts, 1U);
}

TEST(Reload, OfAUnitInBackoffStartsItAtOnce) {
  Driver driver({restarting("a"), service("b")});
  up(driver, 2).exit(0, exited(1)).send(event::Reload{plan_of({changed(restarting("a")), service("b")})});
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Reload, DuringTheBootKeepsWhatIsUnderWay) {
  UnitSpec web = service("web");
  depends(web, 0, Condition::kCompleted);
  Driver driver({oneshot("migrate"), web});
  driver.boot().spawned(0);
  driver.send(event::Reload{plan_of({oneshot("migrate"), changed(web)})});
  EXPECT_TRUE(in_force(driver));
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_TRUE(driver.exit(0, exited(0)).spawns(1));
}

TEST(Reload, IsRefusedWhileTheContainerStopsAndWhileAnotherIsUnderWay) {
  Driver driver({service("a")});
  up(driver, 1).send(event::Reload{plan_of({changed(service("a"))})});
  EXPECT_TRUE(driver.engine.reloading());
  driver.send(event::Reload{plan_of({service("a")})});
  EXPECT_EQ(driver.refusal(), "a reload is under way");
  driver.stop();
  EXPECT_TRUE(driver.reports(EventName::kConfigReloadAbandoned));
  driver.send(event::Reload{plan_of({service("a")})});
  EXPECT_EQ(driver.refusal(), "the container stops");
  EXPECT_EQ(driver.exit(0, signaled(SIGTERM)).finish(), 0);
}

TEST(Reload, RefusesRequestsForWhatLeaves) {
  Driver driver({service("a"), service("b")});
  up(driver, 2).send(event::Reload{plan_of({changed(service("a")), service("b")})});
  EXPECT_NE(driver.send(event::StopUnit{Driver::id(0)}).refusal(), "");
  EXPECT_EQ(driver.send(event::RestartUnit{Driver::id(1)}).refusal(), "");
}

TEST(Reload, DoesNotEndTheContainerWhenTheLastUnitIsReplaced) {
  Driver driver({service("a")});
  up(driver, 1).send(event::Reload{plan_of({changed(service("a"))})}).exit(0, exited(1));
  EXPECT_EQ(driver.finish(), -1);
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Reload, DoesNotSkipWhoWaitsForWhatIsReplaced) {
  UnitSpec web = service("web");
  depends(web, 0, Condition::kCompleted);
  Driver driver({oneshot("load"), web});
  driver.boot().spawned(0).send(event::Reload{plan_of({changed(oneshot("load")), web})});
  driver.exit(0, signaled(SIGTERM));
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Reload, StartsWhatWasSkippedOnceItMay) {
  UnitSpec load = oneshot("load");
  load.critical = false;
  UnitSpec web = service("web");
  web.critical = false;
  depends(web, 0, Condition::kCompleted);
  Driver driver({load, web, service("other")});
  driver.boot().spawned(0).spawned(2).exit(0, exited(1));
  ASSERT_EQ(driver.state(1), UnitState::kSkipped);
  driver.send(event::Reload{plan_of({changed(load), web, service("other")})});
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  EXPECT_TRUE(driver.spawned(0).exit(0, exited(0)).spawns(1));
}

TEST(Reload, KeepsStoppedWhatAnOperatorStopped) {
  Driver driver({service("a"), service("b")});
  up(driver, 2).send(event::StopUnit{Driver::id(0)}).exit(0, exited(0));
  driver.send(event::Reload{plan_of({changed(service("a")), service("b")})});
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_TRUE(driver.send(event::StartUnit{Driver::id(0)}).spawns(0));
}

TEST(Reload, EnablesAndDisables) {
  UnitSpec off = service("a");
  off.enabled = false;
  Driver driver({off, service("b")});
  driver.boot().spawned(1);
  UnitSpec b_off = service("b");
  b_off.enabled = false;
  driver.send(event::Reload{plan_of({service("a"), b_off})}).exit(1, exited(0));
  EXPECT_TRUE(driver.spawns(0));
  EXPECT_EQ(driver.state(1), UnitState::kInactive);
  EXPECT_EQ(driver.engine.view(Driver::id(1)).reason, "disabled");
}

TEST(Reload, GivesUpWhatCouldNotBeEnded) {
  Driver driver({service("a"), service("b")});
  up(driver, 2).send(event::Reload{plan_of({changed(service("a")), service("b")})});
  driver.wait(10s).wait(5s);
  EXPECT_TRUE(driver.reports(EventName::kUnitLeftover));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_TRUE(driver.engine.stopping());
}

TEST(Reload, ScalesWithoutTouchingTheOthersOrWhoDependsOnThem) {
  UnitSpec proxy = service("proxy");
  depends(proxy, 0);
  Driver driver({replica("web", 0, 1), proxy});
  up(driver, 2);
  UnitSpec next_proxy = service("proxy");
  for (unsigned i = 0; i < 3; ++i) depends(next_proxy, i);
  driver.send(event::Reload{plan_of({replica("web", 0, 3), replica("web", 1, 3), replica("web", 2, 3), next_proxy})});
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_TRUE(driver.spawns(2));
  EXPECT_TRUE(driver.spawns(3));
  EXPECT_EQ(driver.engine.plan().units[0].name, "web[0]");
  driver.spawned(2).spawned(3).send(event::Reload{plan_of({replica("web", 0, 1), proxy})});
  EXPECT_FALSE(driver.signals(0, SIGTERM));
  EXPECT_TRUE(driver.signals(2, SIGTERM));
  EXPECT_TRUE(driver.signals(3, SIGTERM));
}

TEST(Reload, OfNothingEndsTheContainer) {
  Driver driver({service("a")});
  up(driver, 1).send(event::Reload{plan_of({})});
  EXPECT_EQ(driver.exit(0, signaled(SIGTERM)).finish(), 0);
}

TEST(SameDefinition, SeesEveryKindOfDifference) {
  const Plan plan = plan_of({service("a")});
  const auto differs = [&](auto change) {
    UnitSpec other = plan.units[0];
    change(other);
    return !same_definition(plan, plan.units[0], plan, other);
  };
  EXPECT_FALSE(differs([](UnitSpec&) {}));
  EXPECT_TRUE(differs([](UnitSpec& unit) { unit.launch.argv = {"x"}; }));
  EXPECT_TRUE(differs([](UnitSpec& unit) { unit.launch.inputs.env_files = "x"; }));
  EXPECT_TRUE(differs([](UnitSpec& unit) { unit.restart.delay = 1s; }));
  EXPECT_TRUE(differs([](UnitSpec& unit) { unit.healthcheck = tcp_health(); }));
  EXPECT_TRUE(differs([](UnitSpec& unit) { unit.launch.environment["X"] = "1"; }));
  EXPECT_FALSE(differs([](UnitSpec& unit) { unit.launch.environment["REPLICAS"] = "2"; }));
}

}  // namespace
}  // namespace slipway::engine
