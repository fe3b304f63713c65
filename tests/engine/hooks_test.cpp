// pre_start, stop_command and post_stop: order, time limits, failures, and a stop at each of their moments.
#include "driver.hpp"

namespace slipway::engine {
namespace {

UnitSpec with_hooks(UnitSpec spec) {
  spec.pre_start = HookSpec{{"pre"}, 5s};
  spec.stop_command = HookSpec{{"stop"}, 5s};
  spec.post_stop = HookSpec{{"post"}, 5s};
  return spec;
}

class Hooks : public testing::Test {
 protected:
  static bool runs(const Driver& driver, HookKind kind) {
    return Driver::count_if<command::RunHook>(driver.last, [&](const auto& run) { return run.kind == kind; }) == 1;
  }
  static bool signals_hook(const Driver& driver, int signal) {
    return Driver::count_if<command::SignalHook>(driver.last,
                                                 [&](const auto& sent) { return sent.signal == signal; }) == 1;
  }
  static Driver& hook_ends(Driver& driver, ExitStatus status = exited(0)) {
    return driver.send(event::HookFinished{Driver::id(0), std::move(status)});
  }
  /// Booted, its pre_start done, its process alive.
  static Driver& up(Driver& driver) { return hook_ends(driver.boot()).spawned(0); }
};

TEST_F(Hooks, PreStartComesBeforeTheProcess) {
  Driver driver({with_hooks(service("web"))});
  driver.boot();
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
  EXPECT_FALSE(driver.spawns(0));
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
  hook_ends(driver);
  EXPECT_TRUE(driver.spawns(0));
}

TEST_F(Hooks, APreStartThatFailsIsAFailedStart) {
  UnitSpec spec = with_hooks(restarting("web"));
  spec.restart.start_limit_burst = 2;
  Driver driver({spec});
  hook_ends(driver.boot(), exited(3));
  EXPECT_FALSE(driver.spawns(0));
  EXPECT_TRUE(driver.reports(EventName::kUnitHookFailed));
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
  hook_ends(driver);
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "pre_start exited with code 3");
  driver.wait_for_deadline();
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
  hook_ends(hook_ends(driver, exited(3)));
  EXPECT_EQ(driver.state(0), UnitState::kFailed) << "the start limit counts it";
  EXPECT_EQ(driver.finish(), 80);
}

TEST_F(Hooks, APreStartThatHangsIsEndedAndFails) {
  UnitSpec spec = with_hooks(service("web"));
  spec.post_stop.reset();
  Driver driver({spec});
  driver.boot().wait(4999ms);
  EXPECT_FALSE(signals_hook(driver, SIGTERM));
  driver.wait(1ms);
  EXPECT_TRUE(signals_hook(driver, SIGTERM));
  driver.wait(1s);
  EXPECT_TRUE(signals_hook(driver, SIGKILL));
  hook_ends(driver, signaled(SIGKILL));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "pre_start did not finish within 5s");
}

TEST_F(Hooks, AStopDuringPreStartEndsItAndStartsNothing) {
  Driver driver({with_hooks(service("web"))});
  driver.boot().stop();
  EXPECT_TRUE(signals_hook(driver, SIGTERM));
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  hook_ends(driver, signaled(SIGTERM));
  EXPECT_FALSE(driver.spawns(0));
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
  hook_ends(driver);
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.finish(), 0);
}

TEST_F(Hooks, APreStartThatSucceedsAfterTheStopStartsNothing) {
  Driver driver({with_hooks(service("web"))});
  driver.boot().send(event::StopUnit{Driver::id(0)});
  hook_ends(driver);
  EXPECT_FALSE(driver.spawns(0));
  hook_ends(driver);
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
}

TEST_F(Hooks, ARestartDuringPreStartBeginsAnew) {
  Driver driver({with_hooks(service("web"))});
  driver.boot().send(event::RestartUnit{Driver::id(0)});
  EXPECT_TRUE(signals_hook(driver, SIGTERM));
  hook_ends(hook_ends(driver, signaled(SIGTERM)));
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
}

TEST_F(Hooks, ADependencyLostDuringPreStartHoldsTheStartBack) {
  UnitSpec web = service("web");
  web.pre_start = HookSpec{{"pre"}, 5s};
  UnitSpec base = restarting("base");
  Driver driver({base, depends(web, 0)});
  driver.boot().spawned(0);
  ASSERT_TRUE(runs(driver, HookKind::kPreStart));
  driver.exit(0, exited(1)).send(event::HookFinished{Driver::id(1), exited(0)});
  EXPECT_FALSE(driver.spawns(1));
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.wait_for_deadline().spawned(0);
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
}

TEST_F(Hooks, StopCommandComesBeforeTheFirstSignal) {
  Driver driver({with_hooks(service("web"))});
  up(driver).stop();
  EXPECT_TRUE(runs(driver, HookKind::kStopCommand));
  EXPECT_FALSE(driver.signals_anything());
  hook_ends(driver);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, signaled(SIGTERM));
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
  hook_ends(driver);
  EXPECT_EQ(driver.finish(), 0);
}

TEST_F(Hooks, NoSignalFollowsAStopCommandThatEndedTheProcess) {
  Driver driver({with_hooks(service("web"))});
  up(driver).stop().exit(0, exited(0));
  EXPECT_FALSE(runs(driver, HookKind::kPostStop)) << "stop_command still runs";
  hook_ends(driver);
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
}

TEST_F(Hooks, AStopCommandThatHangsOrFailsOnlyDelaysTheSignals) {
  Driver driver({with_hooks(service("web"))});
  up(driver).stop().wait(5s);
  EXPECT_TRUE(signals_hook(driver, SIGTERM));
  hook_ends(driver, signaled(SIGTERM));
  EXPECT_TRUE(driver.reports(EventName::kUnitHookFailed));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
}

TEST_F(Hooks, StopCommandIsNotForWhatIsLeftOfAGroup) {
  Driver driver({with_hooks(service("web"))});
  up(driver).exit(0, exited(0), true);
  EXPECT_FALSE(runs(driver, HookKind::kStopCommand));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
}

TEST_F(Hooks, AGracePeriodOfZeroLeavesNoTimeForAStopCommand) {
  UnitSpec spec = with_hooks(service("web"));
  spec.stop_command->timeout = 0ms;
  Driver driver({spec});
  up(driver).stop();
  EXPECT_FALSE(runs(driver, HookKind::kStopCommand));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
}

TEST_F(Hooks, PostStopComesBeforeARestart) {
  Driver driver({with_hooks(restarting("web"))});
  up(driver).exit(0, exited(1));
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  hook_ends(driver, exited(1));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff) << "its failure changes nothing";
  driver.wait_for_deadline();
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
}

TEST_F(Hooks, AOneshotIsCompletedWhenItsPostStopHasEnded) {
  UnitSpec web = service("web");
  Driver driver({with_hooks(oneshot("seed")), depends(web, 0, config::Condition::kCompleted)});
  up(driver).exit(0, exited(0));
  EXPECT_FALSE(driver.spawns(1));
  hook_ends(driver);
  EXPECT_EQ(driver.state(0), UnitState::kExited);
  EXPECT_TRUE(driver.spawns(1));
}

TEST_F(Hooks, AProcessThatCouldNotBeMadeIsFollowedByPostStop) {
  Driver driver({with_hooks(service("web"))});
  hook_ends(driver.boot()).send(event::SpawnFailed{Driver::id(0), "no such program", false});
  EXPECT_TRUE(runs(driver, HookKind::kPostStop));
  hook_ends(driver);
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
}

TEST_F(Hooks, AHookThatKillDoesNotEndIsLeftOver) {
  Driver driver({with_hooks(service("web")), service("other")});
  driver.boot().wait(5s).wait(1s).wait(5s);
  EXPECT_TRUE(driver.reports(EventName::kUnitLeftover));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
}

TEST_F(Hooks, NothingStartsBesideALeftOverHook) {
  UnitSpec spec = with_hooks(service("web"));
  spec.critical = false;
  Driver driver({spec, service("other")});
  driver.boot().spawned(1).wait(5s).wait(1s).wait(5s).send(event::StartUnit{Driver::id(0)});
  EXPECT_EQ(driver.refusal(), "processes of its last run still live");
  hook_ends(driver).send(event::StartUnit{Driver::id(0)});
  EXPECT_TRUE(runs(driver, HookKind::kPreStart));
}

TEST_F(Hooks, TheShutdownTimeoutKillsAHookAtOnce) {
  Plan plan;
  plan.units = {with_hooks(service("web"))};
  plan.shutdown_timeout = 2s;
  Driver driver(plan);
  up(driver).stop().wait(2s);
  EXPECT_TRUE(signals_hook(driver, SIGKILL));
  EXPECT_TRUE(driver.signals(0, SIGKILL));
  hook_ends(driver, signaled(SIGKILL)).exit(0, signaled(SIGKILL));
  EXPECT_FALSE(runs(driver, HookKind::kPostStop)) << "there is no time left";
  EXPECT_EQ(driver.finish(), 0);
}

}  // namespace
}  // namespace slipway::engine
