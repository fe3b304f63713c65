// Gates, health checks, start_timeout and the `ready` marker.
#include "driver.hpp"

namespace slipway::engine {
namespace {

UnitSpec polled(std::string name, Duration start_timeout = 60s) {
  UnitSpec spec = restarting(std::move(name));
  spec.ready = tcp_readiness();
  spec.start_timeout = start_timeout;
  return spec;
}

UnitSpec checked(config::HealthAction action = config::HealthAction::kRestart) {
  UnitSpec spec = restarting("web");
  spec.healthcheck = tcp_health(action);
  return spec;
}

TEST(Readiness, IsProbedAtOnceAndThenLessAndLessOften) {
  Driver driver({polled("web")});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.probes(0));
  for (const Duration pace : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    driver.probe(0, false);
    EXPECT_EQ(driver.engine.next_deadline(), driver.now + pace);
    driver.wait(pace);
    EXPECT_TRUE(driver.probes(0));
  }
  driver.probe(0, true);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
}

TEST(Readiness, ByNotificationNeedsNoProbe) {
  UnitSpec web = service("web");
  web.ready = notify_readiness();
  Driver driver({web});
  driver.boot().spawned(0);
  EXPECT_FALSE(driver.probes(0));
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
  driver.send(event::Notified{Driver::id(0)});
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  EXPECT_TRUE(driver.reports(EventName::kUnitReady));
}

TEST(Readiness, OfAnotherKindIgnoresNotifications) {
  Driver driver({polled("web")});
  driver.boot().spawned(0).send(event::Notified{Driver::id(0)});
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(Readiness, LateAnswersAreIgnored) {
  Driver driver({polled("web")});
  driver.boot().spawned(0).exit(0, exited(1));
  EXPECT_EQ(Driver::count_if<command::CancelProbes>(driver.last, [](const auto&) { return true; }), 1);
  driver.probe(0, true);
  EXPECT_TRUE(driver.last.empty());
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
}

TEST(Readiness, AProbeWithoutAnAnswerCountsAsFailed) {
  Driver driver({polled("web")});
  driver.boot().spawned(0).wait(11s);
  EXPECT_EQ(Driver::count_if<command::CancelProbes>(driver.last, [](const auto&) { return true; }), 1);
  driver.wait(50ms);
  EXPECT_TRUE(driver.probes(0));
}

TEST(StartTimeout, OfAServiceIsAFailedStart) {
  Driver driver({polled("web", 5s)});
  driver.boot().spawned(0).wait(5s);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
}

TEST(StartTimeout, WithoutRestartFailsWithEighty) {
  UnitSpec web = polled("web", 5s);
  web.restart.when = config::Restart::kNo;
  Driver driver({web});
  driver.boot().spawned(0).wait(5s).exit(0, signaled(SIGTERM));
  EXPECT_EQ(driver.finish(), 80);
}

TEST(StartTimeout, OfAOneshotLimitsItsRun) {
  UnitSpec seed = oneshot("seed");
  seed.start_timeout = 5s;
  Driver driver({seed});
  driver.boot().spawned(0).wait(5s);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_EQ(driver.finish(), 80);
}

TEST(StartTimeout, OfZeroIsNone) {
  Driver driver({polled("web", 0s)});
  driver.boot().spawned(0).probe(0, false);
  for (int i = 0; i < 1000; ++i) driver.wait(1s).probe(0, false);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(StartTimeout, DoesNotConcernAServiceWithoutReadiness) {
  UnitSpec web = service("web");
  web.start_timeout = 1s;
  Driver driver({web});
  driver.boot().spawned(0);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
}

TEST(StartTimeout, IsNotShorterThanTheStartPeriodOfTheHealthCheckThatGates) {
  UnitSpec web = checked();
  web.start_timeout = 5s;
  web.healthcheck->start_period = 60s;
  Driver driver({web});
  driver.boot().spawned(0).wait(30s);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(Health, IsTheGateWithoutReadiness) {
  Driver driver({checked()});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.probes(0, ProbeKind::kHealth));
  driver.probe(0, true, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
}

TEST(Health, FollowsReadiness) {
  UnitSpec web = checked();
  web.ready = tcp_readiness();
  Driver driver({web});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.probes(0, ProbeKind::kReadiness));
  driver.probe(0, true);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  driver.wait(10s);
  EXPECT_TRUE(driver.probes(0, ProbeKind::kHealth));
}

TEST(Health, FailingOftenEnoughRestartsWhateverThePolicy) {
  UnitSpec web = checked();
  web.restart.when = config::Restart::kNo;
  Driver driver({web});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth);
  driver.wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  driver.wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_TRUE(driver.reports(EventName::kUnitUnhealthy));
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
}

TEST(Health, OneSuccessForgetsFailures) {
  Driver driver({checked()});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth);
  for (int i = 0; i < 10; ++i) {
    driver.wait(10s).probe(0, false, ProbeKind::kHealth);
    driver.wait(10s).probe(0, true, ProbeKind::kHealth);
  }
  EXPECT_EQ(driver.state(0), UnitState::kReady);
}

TEST(Health, ThatIsIgnoredOnlyChangesTheState) {
  Driver driver({checked(config::HealthAction::kIgnore)});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth);
  driver.wait(10s).probe(0, false, ProbeKind::kHealth).wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kUnhealthy);
  EXPECT_TRUE(driver.removes(Marker::kReady));
  driver.wait(10s).probe(0, true, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  EXPECT_TRUE(driver.writes(Marker::kReady));
}

TEST(Health, MayStopTheContainer) {
  Driver driver({checked(config::HealthAction::kShutdown)});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth);
  driver.wait(10s).probe(0, false, ProbeKind::kHealth).wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_TRUE(driver.engine.stopping());
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.finish(), 80);
}

TEST(Health, FailuresWithinTheStartPeriodDoNotCount) {
  UnitSpec web = checked();
  web.ready = tcp_readiness();
  web.healthcheck->start_period = 60s;
  Driver driver({web});
  driver.boot().spawned(0).probe(0, true);
  for (int i = 0; i < 5; ++i) driver.wait(5s).probe(0, false, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  driver.wait(5s).probe(0, true, ProbeKind::kHealth);  // the period is over now
  driver.wait(10s).probe(0, false, ProbeKind::kHealth).wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
}

TEST(Health, WithZeroRetriesCountsTheFirstFailure) {
  UnitSpec web = checked(config::HealthAction::kIgnore);
  web.healthcheck->retries = 0;
  Driver driver({web});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth).wait(10s).probe(0, false, ProbeKind::kHealth);
  EXPECT_EQ(driver.state(0), UnitState::kUnhealthy);
}

TEST(Health, WithAnIntervalOfZeroDoesNotKeepTheHostBusy) {
  UnitSpec web = checked();
  web.healthcheck->interval = 0s;
  Driver driver({web});
  driver.boot().spawned(0).probe(0, true, ProbeKind::kHealth);
  EXPECT_GE(*driver.engine.next_deadline(), driver.now + 10ms);
}

TEST(ReadyMarker, IsWrittenOnceEverythingIsUp) {
  Driver driver({polled("web"), oneshot("seed")});
  driver.boot().spawned(0).spawned(1).exit(1, exited(0));
  EXPECT_FALSE(driver.engine.ready());
  driver.probe(0, true);
  EXPECT_TRUE(driver.engine.ready());
  EXPECT_TRUE(driver.writes(Marker::kReady));
  EXPECT_TRUE(driver.reports(EventName::kContainerReady));
}

TEST(ReadyMarker, GoesWhenAServiceDies) {
  Driver driver({restarting("web")});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.writes(Marker::kReady));
  driver.exit(0, exited(1));
  EXPECT_TRUE(driver.removes(Marker::kReady));
  driver.wait_for_deadline().spawned(0);
  EXPECT_TRUE(driver.writes(Marker::kReady));
}

TEST(ReadyMarker, GoesAtOnceWhenTheContainerStops) {
  Driver driver({service("web")});
  driver.boot().spawned(0).stop();
  EXPECT_TRUE(driver.removes(Marker::kReady));
  EXPECT_FALSE(driver.engine.ready());
}

TEST(ReadyMarker, WaitsForAUnitThatIsNotCriticalOnlyTheFirstTime) {
  UnitSpec side = polled("side");
  side.critical = false;
  Driver driver({service("web"), side});
  driver.boot().spawned(0).spawned(1);
  EXPECT_FALSE(driver.engine.ready());
  driver.probe(1, true);
  EXPECT_TRUE(driver.engine.ready());
  driver.exit(1, exited(1)).wait_for_deadline().spawned(1);
  EXPECT_TRUE(driver.engine.ready());
}

}  // namespace
}  // namespace slipway::engine
