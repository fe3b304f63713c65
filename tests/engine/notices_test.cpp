// What a unit says of itself: status, reload, stop, signs of life, more time.
#include "driver.hpp"

namespace slipway::engine {
namespace {

UnitSpec watched(Duration watchdog = 10s) {
  UnitSpec spec = restarting("web");
  spec.watchdog = watchdog;
  spec.stop_sequence = {{config::Signal{SIGTERM}, 5s}, {config::Signal{SIGQUIT}, 2s}};
  return spec;
}

UnitSpec notifying() {
  UnitSpec spec = watched();
  spec.ready.emplace();
  spec.ready->sd_notify = true;
  spec.start_timeout = 20s;
  return spec;
}

Driver& say(Driver& driver, NoticeKind kind, Duration duration = {}, std::string text = {}) {
  return driver.send(event::Notice{Driver::id(0), kind, duration, std::move(text)});
}

TEST(Watchdog, AbortsAUnitThatGivesNoSignOfLife) {
  Driver driver({watched()});
  driver.boot().spawned(0).wait(9999ms);
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  driver.wait(1ms);
  EXPECT_TRUE(driver.reports(EventName::kUnitWatchdog));
  EXPECT_TRUE(driver.signals(0, SIGABRT));
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "watchdog: no WATCHDOG=1 within 10s");
  driver.wait(5s);
  EXPECT_TRUE(driver.signals(0, SIGQUIT));
  driver.wait(2s);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
  driver.exit(0, signaled(SIGKILL));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
}

TEST(Watchdog, BeginsAnewWithEverySignOfLife) {
  Driver driver({watched()});
  driver.boot().spawned(0);
  for (int i = 0; i < 5; ++i) {
    driver.wait(9s);
    say(driver, NoticeKind::kAlive);
  }
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
}

TEST(Watchdog, IsAFailureThatTheRestartPolicyDecides) {
  UnitSpec web = watched();
  web.restart.when = config::Restart::kNo;
  Driver driver({web});
  driver.boot().spawned(0).wait(10s).exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_EQ(driver.finish(), 80);
}

TEST(Watchdog, BeginsWhenTheUnitIsReady) {
  Driver driver({notifying()});
  driver.boot().spawned(0).wait(15s);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
  say(driver, NoticeKind::kReady);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
}

TEST(Watchdog, NeverFiresOnAStoppedUnit) {
  for (const bool container : {false, true}) {
    Driver driver({watched()});
    driver.boot().spawned(0);
    container ? driver.stop() : driver.send(event::StopUnit{Driver::id(0)});
    driver.exit(0, exited(0)).wait(1h);
    say(driver, NoticeKind::kAlive);
    say(driver, NoticeKind::kTrigger);
    EXPECT_FALSE(driver.signals_anything());
    EXPECT_EQ(driver.count_if<command::Report>(
                  driver.all, [](const auto& report) { return report.name == EventName::kUnitWatchdog; }),
              0);
  }
}

TEST(Watchdog, RestsWhileTheContainerStops) {
  UnitSpec database = watched();
  UnitSpec web = service("web");
  depends(web, 0);
  web.stop_sequence = {{config::Signal{SIGTERM}, 60s}};
  Driver driver({database, web});
  driver.boot().spawned(0).spawned(1).stop();
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  driver.wait(30s);
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
}

TEST(Watchdog, IsTriggeredByTheUnitItself) {
  Driver driver({restarting("web")});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kTrigger);
  EXPECT_TRUE(driver.signals(0, SIGABRT));
}

TEST(Watchdog, TakesAnotherIntervalUntilTheNextStart) {
  Driver driver({watched()});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kWatchdogInterval, 2s);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 2s);
  say(driver, NoticeKind::kWatchdogInterval, 0s);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
  driver.exit(0, exited(1)).wait(200ms).spawned(0);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
}

TEST(ExtendTimeout, MovesStartTimeoutWhileItComesAndNoFurther) {
  Driver driver({notifying()});
  driver.boot().spawned(0).wait(19s);
  say(driver, NoticeKind::kExtendTimeout, 5s).wait(4s);
  say(driver, NoticeKind::kExtendTimeout, 3s).wait(2s);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
  driver.wait(1s);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "not ready within 26s");
}

TEST(ExtendTimeout, NeverShortensALimit) {
  Driver driver({notifying()});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kExtendTimeout, 1s).wait(19s);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(ExtendTimeout, MovesAStopsStepButNotTheWaitAfterKill) {
  Driver driver({watched()});
  driver.boot().spawned(0).send(event::StopUnit{Driver::id(0)});
  say(driver, NoticeKind::kExtendTimeout, 8s).wait(7s);
  EXPECT_FALSE(driver.signals_anything());
  driver.wait(1s);
  EXPECT_TRUE(driver.signals(0, SIGQUIT));
  driver.wait(2s);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
  say(driver, NoticeKind::kExtendTimeout, 1h).wait(5s);
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
}

TEST(ExtendTimeout, DoesNotOutliveTheContainersOwnLimit) {
  Plan plan{{watched()}, 9s, std::nullopt};
  Driver driver(plan);
  driver.boot().spawned(0).stop();
  say(driver, NoticeKind::kExtendTimeout, 1h).wait(9s);
  EXPECT_TRUE(driver.signals(0, SIGKILL));
}

TEST(ExtendTimeout, HoldsTheWatchdogToo) {
  Driver driver({watched()});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kExtendTimeout, 30s);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 30s);
}

TEST(Pause, ExtendsWhatUnitsHaveToSayByThen) {
  UnitSpec slow = notifying();
  slow.name = "slow";
  Driver driver({watched(), slow});
  driver.boot().spawned(0).spawned(1).wait(5s);
  driver.now += 1h;
  driver.send(event::Paused{1h}).send(event::Tick{});
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 10s);
  say(driver, NoticeKind::kWatchdogInterval, 0s).wait(14s);
  EXPECT_EQ(driver.state(1), UnitState::kStarting);
  driver.wait(1s);
  EXPECT_EQ(driver.state(1), UnitState::kStopping);
}

TEST(Notices, StatusIsShownUntilTheNextStart) {
  Driver driver({restarting("web")});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kStatus, {}, "42 requests");
  EXPECT_EQ(driver.engine.view(Driver::id(0)).status, "42 requests");
  driver.exit(0, exited(1));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).status, "42 requests");
  driver.wait(200ms).spawned(0);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).status, "");
}

TEST(Notices, ReloadingLastsUntilReady) {
  Driver driver({notifying()});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kReloading);
  EXPECT_FALSE(driver.engine.view(Driver::id(0)).reloading) << "while it starts";
  say(driver, NoticeKind::kReady);
  say(driver, NoticeKind::kReloading);
  EXPECT_TRUE(driver.reports(EventName::kUnitReloading));
  EXPECT_TRUE(driver.engine.view(Driver::id(0)).reloading);
  EXPECT_EQ(driver.state(0), UnitState::kReady);
  say(driver, NoticeKind::kReady);
  EXPECT_TRUE(driver.reports(EventName::kUnitReloaded));
  EXPECT_FALSE(driver.engine.view(Driver::id(0)).reloading);
}

TEST(Notices, ReadyCountsOnlyWhereSdNotifyIsTheReadiness) {
  UnitSpec web = service("web");
  web.ready = tcp_readiness();
  Driver driver({web});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kReady);
  EXPECT_EQ(driver.state(0), UnitState::kStarting);
}

TEST(Notices, StoppingGivesItTheTimeOfItsFirstStep) {
  Driver driver({watched()});
  driver.boot().spawned(0);
  say(driver, NoticeKind::kStopping);
  EXPECT_EQ(driver.state(0), UnitState::kStopping);
  EXPECT_FALSE(driver.signals_anything());
  driver.wait(5s);
  EXPECT_TRUE(driver.signals(0, SIGQUIT));
}

TEST(Notices, HowItEndsAfterStoppingDecidesWhatFollows) {
  for (const int code : {0, 1}) {
    Driver driver({watched()});
    driver.boot().spawned(0);
    say(driver, NoticeKind::kStopping);
    driver.exit(0, exited(code));
    EXPECT_EQ(driver.state(0), code == 0 ? UnitState::kExited : UnitState::kBackoff);
  }
}

TEST(Notices, OfAProcessThatIsGoneAreIgnored) {
  Driver driver({watched()});
  driver.boot().spawned(0).exit(0, exited(1));
  for (const auto kind : {NoticeKind::kReady, NoticeKind::kStatus, NoticeKind::kReloading, NoticeKind::kStopping,
                          NoticeKind::kAlive, NoticeKind::kTrigger, NoticeKind::kExtendTimeout}) {
    say(driver, kind, 1h, "late");
    EXPECT_TRUE(driver.last.empty());
  }
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).status, "");
}

}  // namespace
}  // namespace slipway::engine
