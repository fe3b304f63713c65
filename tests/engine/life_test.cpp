// How a unit ends and what follows: restart policies, start limit, codes, markers.
#include "driver.hpp"

namespace slipway::engine {
namespace {

TEST(Exit, OfAServiceWithoutRestartIsItsEnd) {
  Driver driver({service("a"), service("b")});
  driver.boot().spawned(0).spawned(1).exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kExited);
  EXPECT_FALSE(driver.engine.stopping());
  EXPECT_FALSE(driver.engine.ready());
}

TEST(Exit, OfTheLastUnitEndsTheContainerWithSuccess) {
  Driver driver({service("a"), oneshot("b")});
  driver.boot().spawned(0).spawned(1).exit(0, exited(0));
  EXPECT_EQ(driver.finish(), -1);
  driver.exit(1, exited(0));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Exit, OfAnUnknownProcessIsIgnored) {
  Driver driver({service("a")});
  driver.boot().spawned(0).exit(0, exited(0), true).exit(0, exited(1));
  EXPECT_TRUE(driver.last.empty());
  driver.send(event::Exited{Driver::id(7), exited(0), false});
  EXPECT_TRUE(driver.last.empty());
}

TEST(Failure, OfACriticalUnitStopsTheContainerWithItsCode) {
  Driver driver({service("a"), service("b")});
  driver.boot().spawned(0).spawned(1).exit(0, exited(3));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_TRUE(driver.signals(1, SIGTERM));
  EXPECT_TRUE(driver.writes(Marker::kFailed));
  driver.exit(1, signaled(SIGTERM));
  EXPECT_EQ(driver.finish(), 3);
}

TEST(Failure, MarkerCarriesUnitReasonAndCode) {
  Driver driver({service("a"), service("b")});
  driver.boot().spawned(0).spawned(1).exit(0, signaled(SIGSEGV));
  for (const Command& command : driver.last) {
    const auto* written = std::get_if<command::WriteMarker>(&command);
    if (written == nullptr) continue;
    EXPECT_EQ(written->marker, Marker::kFailed);
    EXPECT_EQ(written->unit, Driver::id(0));
    EXPECT_EQ(written->reason, "killed by SEGV");
    EXPECT_EQ(written->exit_code, 139);
  }
}

TEST(Failure, OfAnotherUnitDoesNotStopTheContainer) {
  UnitSpec a = service("a");
  a.critical = false;
  Driver driver({a, service("b")});
  driver.boot().spawned(0).spawned(1).exit(0, exited(3));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_FALSE(driver.engine.stopping());
  EXPECT_TRUE(driver.engine.ready());
  driver.exit(1, exited(0));
  EXPECT_EQ(driver.finish(), 0);
}

struct CodeCase {
  const char* name;
  FailureCode rule;
  ExitStatus status;
  int expected;
};
class FailureCodes : public testing::TestWithParam<CodeCase> {};

TEST_P(FailureCodes, DecideTheContainersCode) {
  UnitSpec unit = oneshot("migrate");
  unit.failure = GetParam().rule;
  unit.failure_code = ExitCode::kMigrationFailed;
  Driver driver({unit});
  driver.boot().spawned(0).exit(0, GetParam().status);
  EXPECT_EQ(driver.finish(), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Engine, FailureCodes,
                         testing::Values(CodeCase{"OwnExit", FailureCode::kOwn, exited(3), 3},
                                         CodeCase{"OwnSignal", FailureCode::kOwn, signaled(SIGKILL), 137},
                                         CodeCase{"DocumentedPassesThrough", FailureCode::kDocumented, exited(75), 75},
                                         CodeCase{"UndocumentedIsReplaced", FailureCode::kDocumented, exited(1), 79},
                                         CodeCase{"SignalIsReplaced", FailureCode::kDocumented, signaled(SIGKILL), 79}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Failure, WithoutACodeOfItsOwnIsEighty) {
  Driver driver({restarting("a")});
  driver.boot().send(event::SpawnFailed{Driver::id(0), "execve /bin/x: No such file or directory", false});
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_EQ(driver.finish(), 80);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "could not be started: execve /bin/x: No such file or directory");
}

TEST(Spawn, ThatMayWorkLaterIsTriedAgainWhateverThePolicy) {
  UnitSpec a = service("a");
  a.restart.start_limit_burst = 1;
  Driver driver({a});
  driver.boot();
  for (int i = 0; i < 20; ++i) {
    driver.send(event::SpawnFailed{Driver::id(0), "fork: Resource temporarily unavailable", true});
    ASSERT_EQ(driver.state(0), UnitState::kBackoff);
    driver.wait_for_deadline();
    ASSERT_TRUE(driver.spawns(0)) << i;
  }
  EXPECT_EQ(driver.engine.view(Driver::id(0)).restarts, 0U);
}

TEST(SuccessExitStatus, ListsCodesAndSignals) {
  UnitSpec a = oneshot("a");
  a.success_exit_status = {0, 3, 143};
  UnitSpec b = a;
  Driver driver({a, b});
  driver.boot().spawned(0).spawned(1).exit(0, exited(3)).exit(1, signaled(SIGTERM));
  EXPECT_EQ(driver.state(0), UnitState::kExited);
  EXPECT_EQ(driver.state(1), UnitState::kExited);
}

struct RestartCase {
  const char* name;
  config::Restart when;
  ExitStatus status;
  bool again;
};
class Restarts : public testing::TestWithParam<RestartCase> {};

TEST_P(Restarts, FollowThePolicy) {
  Driver driver({restarting("a", GetParam().when), service("other")});
  driver.boot().spawned(0).spawned(1).exit(0, GetParam().status);
  EXPECT_EQ(driver.state(0) == UnitState::kBackoff, GetParam().again);
}

INSTANTIATE_TEST_SUITE_P(
    Engine, Restarts,
    testing::Values(RestartCase{"NoSuccess", config::Restart::kNo, exited(0), false},
                    RestartCase{"NoFailure", config::Restart::kNo, exited(1), false},
                    RestartCase{"OnFailureSuccess", config::Restart::kOnFailure, exited(0), false},
                    RestartCase{"OnFailureFailure", config::Restart::kOnFailure, exited(1), true},
                    RestartCase{"OnFailureSignal", config::Restart::kOnFailure, signaled(SIGTERM), true},
                    RestartCase{"AlwaysSuccess", config::Restart::kAlways, exited(0), true},
                    RestartCase{"AlwaysFailure", config::Restart::kAlways, exited(1), true},
                    RestartCase{"UnlessStoppedSuccess", config::Restart::kUnlessStopped, exited(0), true}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Restart, OfAOneshotEndsWithItsSuccess) {
  UnitSpec seed = oneshot("seed");
  seed.restart.when = config::Restart::kAlways;
  Driver driver({seed, service("other")});
  driver.boot().spawned(0).exit(0, exited(1));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
  driver.wait_for_deadline().spawned(0).exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kExited);
}

TEST(Restart, WaitsForTheBackoffAndNoLonger) {
  Driver driver({restarting("a")});
  driver.boot().spawned(0).exit(0, exited(1));
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 100ms);
  driver.wait(99ms);
  EXPECT_FALSE(driver.spawns(0));
  driver.wait(1ms);
  EXPECT_TRUE(driver.spawns(0));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).restarts, 1U);
}

TEST(Restart, WaitsForTheWholeGroup) {
  Driver driver({restarting("a")});
  driver.boot().spawned(0).exit(0, exited(1), true);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.wait(5s);
  driver.group_gone(0);
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
}

TEST(StartLimit, GivesUpAfterTooManyStarts) {
  UnitSpec a = restarting("a");
  a.restart.start_limit_burst = 3;
  Driver driver({a});
  driver.boot();
  for (int start = 1; start <= 3; ++start) {
    driver.spawned(0).exit(0, exited(7));
    if (start < 3) driver.wait_for_deadline();
  }
  EXPECT_EQ(driver.finish(), 7);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "exited with code 7; 3 starts within 1m are the limit");
}

TEST(StartLimit, ForgetsStartsOlderThanItsInterval) {
  UnitSpec a = restarting("a");
  a.restart.start_limit_burst = 2;
  a.restart.start_limit_interval = 10s;
  Driver driver({a});
  driver.boot();
  for (int i = 0; i < 10; ++i) {
    driver.spawned(0).wait(6s).exit(0, exited(1));
    ASSERT_EQ(driver.state(0), UnitState::kBackoff) << i;
    driver.wait_for_deadline();
  }
}

TEST(StartLimit, OfZeroIsNone) {
  UnitSpec a = restarting("a");
  a.restart.start_limit_burst = 0;
  Driver driver({a});
  driver.boot();
  for (int i = 0; i < 1000; ++i) driver.spawned(0).exit(0, exited(1)).wait_for_deadline();
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(EndsContainer, PassesOnEveryCode) {
  for (const int code : {0, 1, 42}) {
    UnitSpec main = service("main");
    main.ends_container = true;
    Driver driver({main, service("side")});
    driver.boot().spawned(0).spawned(1).exit(0, exited(code));
    EXPECT_TRUE(driver.engine.stopping());
    EXPECT_EQ(driver.writes(Marker::kFailed), code != 0);
    driver.exit(1, signaled(SIGTERM));
    EXPECT_EQ(driver.finish(), code);
  }
}

TEST(EndsContainer, PassesOnASignal) {
  UnitSpec main = service("main");
  main.ends_container = true;
  Driver driver({main});
  driver.boot().spawned(0).exit(0, signaled(SIGKILL));
  EXPECT_EQ(driver.finish(), 137);
}

TEST(Markers, OfAOneshotAreWrittenAtItsSuccessOnly) {
  UnitSpec migrate = oneshot("migrate");
  migrate.markers_on_success = {Marker::kMigrateDone};
  Driver good({migrate, service("web")});
  good.boot().spawned(0);
  EXPECT_FALSE(good.writes(Marker::kMigrateDone));
  good.exit(0, exited(0));
  EXPECT_TRUE(good.writes(Marker::kMigrateDone));
  Driver bad({migrate, service("web")});
  bad.boot().spawned(0).spawned(1).exit(0, exited(1));
  EXPECT_FALSE(bad.writes(Marker::kMigrateDone));
}

TEST(Markers, OfAOneshotThatRunsAgainAreRemovedFirst) {
  UnitSpec migrate = oneshot("migrate");
  migrate.markers_on_success = {Marker::kMigrateDone};
  Driver driver({migrate, service("web")});
  driver.boot().spawned(0).exit(0, exited(0));
  driver.send(event::StartUnit{Driver::id(0)});
  EXPECT_TRUE(driver.removes(Marker::kMigrateDone));
  EXPECT_TRUE(driver.spawns(0));
}

TEST(Markers, MigrateDoneStaysWhenTheContainerStops) {
  UnitSpec migrate = oneshot("migrate");
  migrate.markers_on_success = {Marker::kMigrateDone};
  Driver driver({migrate, service("web")});
  driver.boot().spawned(0).spawned(1).exit(0, exited(0)).stop();
  EXPECT_FALSE(driver.removes(Marker::kMigrateDone));
  EXPECT_TRUE(driver.removes(Marker::kDatabaseReady));
}

TEST(Markers, AnInterruptedMigrationIsNotDoneWhateverItsCode) {
  UnitSpec migrate = oneshot("migrate");
  migrate.markers_on_success = {Marker::kMigrateDone};
  Driver driver({migrate});
  driver.boot().spawned(0).stop().exit(0, exited(0));
  EXPECT_FALSE(driver.writes(Marker::kMigrateDone));
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.finish(), 0);
}

}  // namespace
}  // namespace slipway::engine
