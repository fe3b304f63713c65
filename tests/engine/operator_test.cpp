// start, stop, restart and signal of one unit, in every state.
#include "driver.hpp"

namespace slipway::engine {
namespace {

struct Operator : testing::Test {
  Operator() : driver({restarting("a", config::Restart::kAlways), service("b")}) {}
  Driver& start() { return driver.send(event::StartUnit{Driver::id(0)}); }
  Driver& stop() { return driver.send(event::StopUnit{Driver::id(0)}); }
  Driver& restart() { return driver.send(event::RestartUnit{Driver::id(0)}); }
  Driver& up() { return driver.boot().spawned(0).spawned(1); }
  Driver driver;
};

TEST_F(Operator, StopsAUnitForGood) {
  up();
  stop();
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, signaled(SIGTERM));
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "stopped by an operator");
  driver.wait(1h);
  EXPECT_FALSE(driver.spawns(0));
}

TEST_F(Operator, StartsItAgain) {
  up();
  stop().exit(0, exited(0));
  start();
  EXPECT_TRUE(driver.spawns(0));
}

TEST_F(Operator, StoppingTheOnlyUnitKeepsTheContainer) {
  Driver one({service("web")});
  one.boot().spawned(0).send(event::StopUnit{Driver::id(0)}).exit(0, signaled(SIGTERM));
  EXPECT_EQ(one.finish(), -1);
  EXPECT_FALSE(one.engine.stopping());
  one.stop();
  EXPECT_EQ(one.finish(), 0);
}

TEST_F(Operator, StopDuringTheBackoffEndsIt) {
  up();
  driver.exit(0, exited(1));
  stop();
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
}

TEST_F(Operator, StopWhileTheProcessIsBeingMadeWaitsForIt) {
  driver.boot();
  stop();
  EXPECT_FALSE(driver.signals_anything());
  driver.spawned(0);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
}

TEST_F(Operator, StopThenStartWhileStoppingStartsAgain) {
  up();
  stop();
  start();
  EXPECT_EQ(driver.refusal(), "");
  driver.exit(0, exited(0));
  EXPECT_TRUE(driver.spawns(0));
}

TEST_F(Operator, StopThenStartWhileBeingMadeChangesNothing) {
  driver.boot();
  stop();
  start().spawned(0);
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
}

TEST_F(Operator, StartDuringTheBackoffStartsNow) {
  up();
  driver.exit(0, exited(1));
  start();
  EXPECT_TRUE(driver.spawns(0));
}

TEST_F(Operator, StartForgetsTheLimits) {
  UnitSpec a = restarting("a");
  a.restart.start_limit_burst = 1;
  a.critical = false;
  Driver limited({a, service("b")});
  limited.boot().spawned(0).spawned(1).exit(0, exited(1));
  EXPECT_EQ(limited.state(0), UnitState::kFailed);
  limited.send(event::StartUnit{Driver::id(0)});
  EXPECT_TRUE(limited.spawns(0));
}

TEST_F(Operator, RestartIsStopAndStartWithoutBackoff) {
  up();
  restart();
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_TRUE(driver.spawns(0));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).restarts, 1U);
}

TEST_F(Operator, RestartOfTheMainCommandDoesNotEndTheContainer) {
  UnitSpec main = service("main");
  main.ends_container = true;
  Driver one({main});
  one.boot().spawned(0).send(event::RestartUnit{Driver::id(0)}).exit(0, signaled(SIGTERM));
  EXPECT_TRUE(one.spawns(0));
}

TEST_F(Operator, StopOfTheMainCommandEndsTheContainer) {
  UnitSpec main = service("main");
  main.ends_container = true;
  Driver one({main});
  one.boot().spawned(0).send(event::StopUnit{Driver::id(0)}).exit(0, exited(6));
  EXPECT_EQ(one.finish(), 6);
}

TEST_F(Operator, SignalsGoToTheMainProcess) {
  up();
  driver.send(event::SignalUnit{Driver::id(0), SIGUSR1});
  EXPECT_TRUE(driver.signals(0, SIGUSR1, false));
}

TEST_F(Operator, IsRefusedWhatCannotBeDone) {
  start();
  EXPECT_EQ(driver.refusal(), "the boot has not begun");
  up();
  start();
  EXPECT_EQ(driver.refusal(), "it runs already");
  driver.send(event::SignalUnit{Driver::id(0), 0});
  EXPECT_EQ(driver.refusal(), "there is no such signal");
  stop().exit(0, exited(0));
  stop();
  EXPECT_EQ(driver.refusal(), "it does not run");
  driver.send(event::SignalUnit{Driver::id(0), SIGHUP});
  EXPECT_EQ(driver.refusal(), "it does not run");
  driver.stop();
  restart();
  EXPECT_EQ(driver.refusal(), "the container stops");
}

TEST_F(Operator, CannotStartAUnitWhoseDependenciesDoNotHold) {
  UnitSpec cache = service("cache");
  cache.critical = false;
  UnitSpec web = service("web");
  Driver two({cache, depends(web, 0)});
  two.boot().spawned(0).spawned(1).send(event::StopUnit{Driver::id(1)}).exit(1, exited(0)).exit(0, exited(1));
  two.send(event::StartUnit{Driver::id(1)});
  EXPECT_EQ(two.refusal(), "cache is failed, not started");
}

TEST_F(Operator, AUnitWaitsForADependencyThatAnOperatorStopped) {
  UnitSpec web = restarting("web");
  Driver two({service("cache"), depends(web, 0)});
  two.boot().spawned(0).spawned(1).send(event::StopUnit{Driver::id(0)}).exit(0, exited(0));
  two.exit(1, exited(1)).wait_for_deadline();
  EXPECT_EQ(two.state(1), UnitState::kWaiting);
  two.send(event::StartUnit{Driver::id(0)}).spawned(0);
  EXPECT_TRUE(two.spawns(1));
}

TEST_F(Operator, AUnitThatDoesNotExistIsIgnored) {
  up();
  driver.send(event::StopUnit{Driver::id(99)});
  EXPECT_TRUE(driver.last.empty());
}

}  // namespace
}  // namespace slipway::engine
