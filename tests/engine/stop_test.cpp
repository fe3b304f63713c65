// The container's stop: order, sequences, codes, at every phase.
#include "driver.hpp"

namespace slipway::engine {
namespace {

std::vector<UnitSpec> chain() {
  UnitSpec app = service("app");
  UnitSpec web = service("web");
  return {service("postgres"), depends(app, 0), depends(web, 1)};
}

Driver& run_all(Driver& driver, unsigned count) {
  driver.boot();
  for (unsigned i = 0; i < count; ++i) driver.spawned(i);
  return driver;
}

TEST(Stop, GoesInTheReverseOrderOfDependencies) {
  Driver driver(chain());
  run_all(driver, 3).stop();
  EXPECT_TRUE(driver.signals(2, SIGTERM));
  EXPECT_FALSE(driver.signals(1, SIGTERM));
  driver.exit(2, signaled(SIGTERM));
  EXPECT_TRUE(driver.signals(1, SIGTERM));
  driver.exit(1, signaled(SIGTERM));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Stop, LooksThroughDependentsThatAreFinal) {
  UnitSpec migrate = oneshot("migrate");
  UnitSpec web = service("web");
  Driver driver({service("postgres"), depends(migrate, 0), depends(web, 1, config::Condition::kCompleted)});
  driver.boot().spawned(0).spawned(1).exit(1, exited(0)).spawned(2).stop();
  EXPECT_FALSE(driver.signals(0, SIGTERM));
  EXPECT_TRUE(driver.signals(2, SIGTERM));
  driver.exit(2, exited(0));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
}

TEST(Stop, IndependentUnitsStopTogether) {
  Driver driver({service("a"), service("b")});
  run_all(driver, 2).stop();
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  EXPECT_TRUE(driver.signals(1, SIGTERM));
}

TEST(Stop, EndsWaitingAndBackingOffUnitsAtOnce) {
  UnitSpec web = service("web");
  Driver driver({restarting("a"), oneshot("seed"), depends(web, 1, config::Condition::kCompleted)});
  driver.boot().spawned(0).spawned(1).exit(0, exited(1)).stop();
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.state(2), UnitState::kInactive);
  EXPECT_EQ(driver.state(1), UnitState::kStopping);
}

TEST(Stop, BeforeBootLeavesAtOnceWithoutMarkers) {
  Driver driver({service("a")});
  driver.stop();
  EXPECT_EQ(driver.finish(), 0);
  EXPECT_TRUE(driver.removes(Marker::kMigrateDone));
}

TEST(Stop, WhileAProcessIsBeingMadeStopsItOnceItExists) {
  Driver driver({service("a")});
  driver.boot().stop();
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_EQ(driver.finish(), -1);
  driver.spawned(0);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, signaled(SIGTERM));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Stop, WhileAProcessIsBeingMadeInVainEnds) {
  Driver driver({service("a")});
  driver.boot().stop().send(event::SpawnFailed{Driver::id(0), "no", true});
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Stop, StartsNothingAnyMore) {
  Driver driver(chain());
  run_all(driver, 3).stop().exit(0, exited(1));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  driver.wait(1s);
  EXPECT_FALSE(driver.spawns(0));
  driver.exit(2, exited(0)).exit(1, exited(0));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(StopSequence, TakesEveryStepThenKills) {
  UnitSpec db = service("db");
  db.stop_sequence = {{config::Signal{SIGINT}, 30s}, {config::Signal{SIGQUIT}, 10s}};
  Driver driver({db});
  driver.boot().spawned(0).stop();
  EXPECT_TRUE(driver.signals(0, SIGINT));
  driver.wait(30s);
  EXPECT_TRUE(driver.signals(0, SIGQUIT));
  driver.wait(10s);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
  EXPECT_TRUE(driver.reports(EventName::kUnitKilled));
  driver.exit(0, signaled(SIGKILL));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(StopSequence, WithoutStepsOrWaitsKillsAtOnce) {
  for (const std::vector<config::StopStep>& steps :
       {std::vector<config::StopStep>{}, std::vector<config::StopStep>{{config::Signal{SIGTERM}, 0s}}}) {
    UnitSpec a = service("a");
    a.stop_sequence = steps;
    Driver driver({a});
    driver.boot().spawned(0).stop();
    EXPECT_TRUE(driver.signals(0, SIGKILL));
  }
}

TEST(StopSequence, GoesOnForWhatIsLeftOfTheGroup) {
  Driver driver({service("a")});
  driver.boot().spawned(0).stop().exit(0, exited(0), true);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  driver.wait(10s);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
  driver.group_gone(0);
  EXPECT_EQ(driver.finish(), 0);
}

TEST(StopSequence, WithKillModeProcessAsksTheMainProcessAndKillsTheRest) {
  UnitSpec a = service("a");
  a.kill_mode = config::KillMode::kProcess;
  Driver driver({a});
  driver.boot().spawned(0).stop();
  EXPECT_TRUE(driver.signals(0, SIGTERM, false));
  driver.exit(0, exited(0), true);
  EXPECT_TRUE(driver.signals(0, SIGKILL, true));
}

TEST(StopSequence, LeavesBehindWhatKillDoesNotEnd) {
  Driver driver({service("a")});
  driver.boot().spawned(0).stop().wait(10s).wait(5s);
  EXPECT_TRUE(driver.reports(EventName::kUnitLeftover));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(StopSequence, ALeftoverIsNeverStartedBesideItself) {
  Driver driver({service("a"), service("b")});
  driver.boot().spawned(0).spawned(1).send(event::StopUnit{Driver::id(0)}).wait(10s).wait(5s);
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  driver.send(event::StartUnit{Driver::id(0)});
  EXPECT_EQ(driver.refusal(), "processes of its last run still live");
  driver.exit(0, signaled(SIGKILL)).send(event::StartUnit{Driver::id(0)});
  EXPECT_TRUE(driver.spawns(0));
}

TEST(ShutdownTimeout, KillsWhateverIsLeft) {
  Plan plan{chain(), 3s, std::nullopt};
  Driver driver(plan);
  run_all(driver, 3).stop().wait(3s);
  for (const unsigned unit : {0U, 1U, 2U}) EXPECT_TRUE(driver.signals(unit, SIGKILL)) << unit;
  driver.wait(5s);
  EXPECT_EQ(driver.finish(), 0);
}

TEST(ShutdownTimeout, KillsWhatComesToExistAfterIt) {
  Driver driver(Plan{{service("a")}, 3s, std::nullopt});
  driver.boot().stop().wait(3s).spawned(0);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
}

TEST(ShutdownTimeout, OfZeroLeavesItToTheStopSequences) {
  Driver driver(Plan{{service("a")}, 0s, std::nullopt});
  driver.boot().spawned(0).stop();
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
}

UnitSpec main_command() {
  UnitSpec main = service("main");
  main.ends_container = true;
  main.forwards_signals = true;
  return main;
}

TEST(MainCommand, ReceivesTheSignalThatStopsTheContainer) {
  Driver driver({main_command()});
  driver.boot().spawned(0).stop(SIGINT);
  EXPECT_TRUE(driver.signals(0, SIGINT));
  driver.stop(SIGQUIT);
  EXPECT_TRUE(driver.signals(0, SIGQUIT, false));
}

TEST(MainCommand, PassesOnItsCodeAsUnderAPlainInit) {
  Driver by_signal({main_command()});
  by_signal.boot().spawned(0).stop().exit(0, signaled(SIGTERM));
  EXPECT_EQ(by_signal.finish(), 143);
  Driver by_exit({main_command()});
  by_exit.boot().spawned(0).stop().exit(0, exited(5));
  EXPECT_EQ(by_exit.finish(), 5);
}

TEST(ExitCodeFrom, DecidesAStopThatWasAskedFor) {
  Driver driver(Plan{{service("a"), service("b")}, 120s, UnitId{1}});
  run_all(driver, 2).stop().exit(0, exited(4)).exit(1, exited(9));
  EXPECT_EQ(driver.finish(), 9);
}

TEST(ExitCode, TheFirstCauseDecides) {
  Driver driver({service("a"), service("b")});
  run_all(driver, 2).exit(0, exited(3)).stop().exit(1, exited(9));
  EXPECT_EQ(driver.finish(), 3);
}

TEST(Signals, ReachTheMainCommandAndWhoeverReloads) {
  UnitSpec nginx = service("nginx");
  nginx.reload_signal = config::Signal{SIGUSR1};
  Driver driver({main_command(), nginx, service("plain")});
  run_all(driver, 3).send(event::SignalReceived{SIGHUP});
  EXPECT_TRUE(driver.signals(0, SIGHUP, false));
  EXPECT_TRUE(driver.signals(1, SIGUSR1, false));
  EXPECT_EQ(driver.last.size(), 2U);
  driver.send(event::SignalReceived{SIGUSR2});
  EXPECT_TRUE(driver.signals(0, SIGUSR2, false));
  EXPECT_EQ(driver.last.size(), 1U);
}

}  // namespace
}  // namespace slipway::engine
