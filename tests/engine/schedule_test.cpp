// Scheduled jobs: when a run begins, what overlap does, what becomes of failures, and changes of the clock.
#include <set>

#include "driver.hpp"

namespace slipway::engine {
namespace {

using config::Overlap;
using std::chrono::system_clock;

/// 2026-11-23 12:00:00 UTC
const system_clock::time_point kNoon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + 12h;

UnitSpec every(std::string name, Duration interval, Overlap overlap = Overlap::kForbid) {
  UnitSpec spec = service(std::move(name));
  spec.kind = UnitKind::kScheduled;
  spec.critical = false;
  spec.schedule.emplace();
  spec.schedule->every = interval;
  spec.schedule->overlap = overlap;
  return spec;
}

UnitSpec at(std::string name, const std::string& cron) {
  UnitSpec spec = every(std::move(name), 1h);
  spec.schedule->every.reset();
  spec.schedule->cron = config::parse_cron(cron).value();
  return spec;
}

std::vector<UnitSpec> instances(unsigned count, Duration interval) {
  std::vector<UnitSpec> all;
  for (unsigned i = 0; i < count; ++i) {
    all.push_back(every("job[" + std::to_string(i) + "]", interval, Overlap::kAllow));
    all.back().worker = "job";
    all.back().replica = i;
    all.back().replicas = count;
  }
  return all;
}

/// A driver that has a time of day, which goes on with its clock.
class DayDriver : public Driver {
 public:
  explicit DayDriver(std::vector<UnitSpec> units) : Driver(std::move(units)) {
    set_clock(kNoon);
    boot();
  }
  void set_clock(system_clock::time_point to) { send(event::WallClock{to}); }
  void run_through(unsigned unit) {
    spawned(unit);
    exit(unit, exited(0));
  }
};

TEST(Schedule, RunsAtEachIntervalFromTheBoot) {
  Driver driver({every("job", 10s)});
  driver.boot();
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_FALSE(driver.wait(9999ms).spawns(0));
  EXPECT_TRUE(driver.wait(1ms).spawns(0));
  driver.spawned(0);
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  driver.wait(4s);
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_TRUE(driver.reports(EventName::kRunFinished));
  EXPECT_FALSE(driver.wait(5s).spawns(0));
  EXPECT_TRUE(driver.wait(1s).spawns(0)) << "the interval counts from run to run, not from the end of one";
}

TEST(Schedule, RunsAtTheBootWhereAsked) {
  UnitSpec job = every("job", 10s);
  job.schedule->run_at_boot = true;
  Driver driver({job});
  EXPECT_TRUE(driver.boot().spawns(0));
  driver.spawned(0).exit(0, exited(0));
  EXPECT_TRUE(driver.wait(10s).spawns(0));
}

TEST(Schedule, NeitherGatesReadinessNorLetsTheContainerEnd) {
  Driver driver({service("web"), every("job", 10s)});
  driver.boot().spawned(0);
  EXPECT_TRUE(driver.writes(Marker::kReady));
  driver.wait(10s).spawned(1).exit(1, exited(3));
  EXPECT_TRUE(driver.engine.ready());
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.finish(), -1) << "a job is still scheduled";
  EXPECT_FALSE(driver.engine.stopping());
}

TEST(Schedule, WaitsForItsDependenciesAndRunsOnce) {
  UnitSpec job = every("job", 10s);
  depends(job, 0, config::Condition::kCompleted);
  Driver driver({oneshot("migrate"), job});
  driver.boot().spawned(0);
  EXPECT_FALSE(driver.wait(10s).spawns(1));
  EXPECT_EQ(driver.state(1), UnitState::kWaiting);
  driver.wait(25s);
  EXPECT_TRUE(driver.exit(0, exited(0)).spawns(1)) << "three runs were due: one takes place";
  driver.spawned(1).exit(1, exited(0));
  EXPECT_FALSE(driver.wait(4s).spawns(1));
  EXPECT_TRUE(driver.wait(1s).spawns(1));
}

TEST(Schedule, SkipsARunWhoseDependencyCanNeverHoldAndTriesTheNextOne) {
  UnitSpec migrate = oneshot("migrate");
  migrate.critical = false;
  UnitSpec job = every("job", 10s);
  depends(job, 0, config::Condition::kCompleted);
  Driver driver({migrate, job});
  driver.boot().spawned(0).exit(0, exited(1));
  driver.wait(10s);
  EXPECT_TRUE(driver.reports(EventName::kRunSkipped));
  EXPECT_EQ(driver.state(1), UnitState::kScheduled);
  EXPECT_EQ(driver.engine.view(Driver::id(1)).skipped_runs, 1U);
  driver.send(event::StartUnit{Driver::id(0)}).spawned(0).exit(0, exited(0));
  EXPECT_TRUE(driver.wait(10s).spawns(1));
}

TEST(Schedule, ForbidSkipsAndCounts) {
  Driver driver({every("job", 10s)});
  driver.boot().wait(10s).spawned(0);
  driver.wait(10s);
  driver.wait(10s);
  EXPECT_TRUE(driver.reports(EventName::kRunSkipped));
  EXPECT_FALSE(driver.signals_anything());
  EXPECT_EQ(driver.state(0), UnitState::kRunning);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).skipped_runs, 2U);
  driver.exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled) << "what was skipped is not made up for";
  EXPECT_TRUE(driver.wait(10s).spawns(0));
}

TEST(Schedule, ReplaceStopsTheOldRunAndThenStarts) {
  Driver driver({every("job", 10s, Overlap::kReplace)});
  driver.boot().wait(10s).spawned(0);
  driver.wait(10s);
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  EXPECT_FALSE(driver.spawns(0));
  EXPECT_FALSE(driver.exit(0, signaled(SIGTERM), true).spawns(0)) << "others of its group still live";
  EXPECT_TRUE(driver.group_gone(0).spawns(0));
  driver.spawned(0).exit(0, exited(0));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).restarts, 0U);
}

TEST(Schedule, ReplaceWaitsForAProcessThatIsBeingMade) {
  Driver driver({every("job", 10s, Overlap::kReplace)});
  driver.boot().wait(10s);
  EXPECT_FALSE(driver.wait(10s).signals_anything());
  EXPECT_TRUE(driver.spawned(0).signals(0, SIGTERM));
  EXPECT_TRUE(driver.exit(0, signaled(SIGTERM)).spawns(0));
}

TEST(Schedule, ReplaceGivesUpRetriesOfTheOldRun) {
  UnitSpec job = every("job", 10s, Overlap::kReplace);
  job.restart.when = config::Restart::kOnFailure;
  job.restart.delay = 25s;
  Driver driver({job});
  driver.boot().wait(10s).spawned(0).exit(0, exited(1));
  EXPECT_EQ(driver.state(0), UnitState::kBackoff);
  EXPECT_TRUE(driver.wait(10s).spawns(0));
  driver.spawned(0).exit(0, exited(0));
  EXPECT_FALSE(driver.wait(9s).spawns(0)) << "the old run's retry is forgotten";
}

TEST(Schedule, AllowUsesInstancesUpToItsBound) {
  Driver driver(instances(2, 10s));
  driver.boot();
  EXPECT_TRUE(driver.wait(10s).spawns(0));
  driver.spawned(0);
  EXPECT_TRUE(driver.wait(10s).spawns(1));
  driver.spawned(1).wait(10s);
  EXPECT_TRUE(driver.reports(EventName::kRunSkipped));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).skipped_runs, 1U);
  driver.exit(0, exited(0));
  EXPECT_TRUE(driver.wait(10s).spawns(0));
}

TEST(Schedule, AFailedRunIsReportedAndTheNextOneComes) {
  Driver driver({every("job", 10s)});
  driver.boot().wait(10s).spawned(0).exit(0, exited(3));
  EXPECT_TRUE(driver.reports(EventName::kRunFailed));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "the last run failed: exited with code 3");
  EXPECT_TRUE(driver.wait(10s).spawns(0));
  EXPECT_EQ(driver.engine.view(Driver::id(0)).reason, "");
}

TEST(Schedule, AFailedRunOfACriticalJobStopsTheContainer) {
  UnitSpec job = every("job", 10s);
  job.critical = true;
  Driver driver({job});
  driver.boot().wait(10s).spawned(0).exit(0, exited(3));
  EXPECT_EQ(driver.finish(), 3);
}

TEST(Schedule, RestartPolicyAndStartLimitCountWithinOneRun) {
  UnitSpec job = every("job", 10s);
  job.restart.when = config::Restart::kOnFailure;
  job.restart.delay = 1ms;
  job.restart.start_limit_burst = 2;
  Driver driver({job});
  driver.boot();
  for (int run = 0; run < 4; ++run) {
    driver.now = std::max(driver.now, *driver.engine.next_deadline());
    ASSERT_TRUE(driver.send(event::Tick{}).spawns(0)) << run;
    driver.spawned(0).exit(0, exited(1));
    EXPECT_EQ(driver.state(0), UnitState::kBackoff);
    driver.wait(10ms).spawned(0).exit(0, exited(1));
    EXPECT_TRUE(driver.reports(EventName::kRunFailed));
  }
}

TEST(Schedule, ARunThatTakesTooLongIsStopped) {
  UnitSpec job = every("job", 10s);
  job.start_timeout = 3s;
  Driver driver({job});
  driver.boot().wait(10s).spawned(0);
  EXPECT_TRUE(driver.wait(3s).signals(0, SIGTERM));
  EXPECT_TRUE(driver.exit(0, signaled(SIGTERM)).reports(EventName::kRunFailed));
}

TEST(Schedule, NothingIsDueWhileProcessesThatKillDidNotEndLive) {
  UnitSpec job = every("job", 10s);
  job.start_timeout = 1s;
  Driver driver({job, service("web")});
  driver.boot().spawned(1).wait(10s).spawned(0);
  driver.wait(1s).wait(10s).wait(5s);
  EXPECT_EQ(driver.state(0), UnitState::kFailed);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
}

TEST(Schedule, StartRunsNowAndStopSuspends) {
  Driver driver({every("job", 10s), service("web")});
  driver.boot().spawned(1).wait(1s);
  EXPECT_TRUE(driver.send(event::StartUnit{Driver::id(0)}).spawns(0));
  driver.spawned(0);
  EXPECT_EQ(driver.send(event::StartUnit{Driver::id(0)}).refusal(), "it runs already");
  driver.exit(0, exited(0));
  driver.send(event::StopUnit{Driver::id(0)});
  EXPECT_EQ(driver.state(0), UnitState::kInactive);
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt) << "an idle PID 1 sleeps";
  EXPECT_FALSE(driver.wait(60s).spawns(0));
  EXPECT_TRUE(driver.send(event::StartUnit{Driver::id(0)}).spawns(0));
  driver.spawned(0).exit(0, exited(0));
  EXPECT_TRUE(driver.wait(10s).spawns(0));
}

TEST(Schedule, StartBringsAllInstancesBack) {
  Driver driver(instances(3, 10s));
  driver.boot();
  for (unsigned i = 0; i < 3; ++i) driver.send(event::StopUnit{Driver::id(i)});
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
  EXPECT_TRUE(driver.send(event::StartUnit{Driver::id(1)}).spawns(1));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_EQ(driver.state(2), UnitState::kScheduled);
  EXPECT_TRUE(driver.engine.next_deadline().has_value());
}

TEST(Schedule, TheContainersStopEndsItWithoutAnotherRun) {
  Driver driver({every("job", 10s, Overlap::kReplace), every("idle", 10s)});
  driver.boot().wait(10s).spawned(0).spawned(1).exit(1, exited(0));
  driver.wait(10s);  // the next run of `job` waits for the old one's end
  driver.stop();
  EXPECT_EQ(driver.state(1), UnitState::kStarting) << "its process is being made";
  driver.spawned(1);
  driver.exit(0, signaled(SIGTERM)).exit(1, signaled(SIGTERM));
  EXPECT_EQ(driver.finish(), 0);
}

TEST(Schedule, JitterDelaysWithinItsBoundAndByTheSeed) {
  UnitSpec job = every("job", 10s);
  job.schedule->jitter = 2s;
  std::vector<Instant> first;
  for (int repetition = 0; repetition < 2; ++repetition) {
    Driver driver({job});
    driver.boot();
    std::vector<Instant> found;
    for (int run = 1; run <= 50; ++run) {
      found.push_back(*driver.engine.next_deadline());
      const auto late = found.back() - (Instant(1h) + run * 10s);
      EXPECT_GE(late, 0s);
      EXPECT_LE(late, 2s);
      driver.wait_for_deadline();
      driver.spawned(0).exit(0, exited(0));
    }
    EXPECT_GT(std::set<Instant::duration::rep>({(found[0] - Instant(1h + 10s)).count(),
                                                (found[1] - Instant(1h + 20s)).count(),
                                                (found[2] - Instant(1h + 30s)).count()})
                  .size(),
              1U);
    if (repetition == 0) first = found;
    EXPECT_EQ(first, found);
  }
}

TEST(Schedule, CronFollowsTheTimeOfDay) {
  DayDriver driver({at("job", "30 12,14 * * *")});
  EXPECT_EQ(*driver.engine.view(Driver::id(0)).next_run - driver.now, 30min);
  EXPECT_TRUE(driver.wait(30min).spawns(0));
  driver.run_through(0);
  EXPECT_EQ(*driver.engine.view(Driver::id(0)).next_run - driver.now, 2h);
}

TEST(Schedule, AfterASleepOneMissedRunIsMadeUpFor) {
  DayDriver driver({at("job", "*/5 * * * *")});
  driver.set_clock(kNoon + 24h + 1min);
  EXPECT_TRUE(driver.wait(0s).spawns(0)) << "288 runs were missed";
  driver.run_through(0);
  EXPECT_FALSE(driver.wait(3min).spawns(0));
  EXPECT_TRUE(driver.wait(1min).spawns(0));
}

TEST(Schedule, AClockSetForwardToBeforeTheRunBringsItCloser) {
  DayDriver driver({at("job", "0 13 * * *")});
  driver.set_clock(kNoon + 50min);
  EXPECT_FALSE(driver.wait(9min).spawns(0));
  EXPECT_TRUE(driver.wait(1min).spawns(0));
}

TEST(Schedule, AClockSetBackRepeatsNoRun) {
  DayDriver driver({at("job", "*/30 * * * *")});
  EXPECT_TRUE(driver.wait(30min).spawns(0));
  driver.run_through(0);
  driver.set_clock(kNoon);
  EXPECT_FALSE(driver.wait(30min).spawns(0)) << "12:30 has been run";
  EXPECT_TRUE(driver.wait(30min).spawns(0));
}

TEST(Schedule, AClockThatWasWrongByMoreThanThreeHoursCountsAnew) {
  DayDriver driver({at("job", "*/30 * * * *")});
  driver.wait(30min);
  driver.run_through(0);
  driver.set_clock(kNoon - 48h);
  EXPECT_TRUE(driver.wait(30min).spawns(0));
}

TEST(Schedule, ReadingTwoClocksIsNoChangeOfTheClock) {
  DayDriver driver({at("job", "*/30 * * * *")});
  const auto due = driver.engine.next_deadline();
  driver.set_clock(kNoon + 5ms);
  EXPECT_EQ(driver.engine.next_deadline(), due);
}

TEST(Schedule, AnIntervalDoesNotCareAboutTheTimeOfDay) {
  DayDriver driver({every("job", 10s)});
  driver.set_clock(kNoon + 48h);
  EXPECT_FALSE(driver.wait(9s).spawns(0));
  EXPECT_TRUE(driver.wait(1s).spawns(0));
}

TEST(Schedule, AStopDoesNotSwallowTheRunAfterIt) {
  DayDriver driver({at("job", "0 13 * * *"), service("web")});
  driver.spawned(1);
  driver.send(event::StopUnit{Driver::id(0)});
  driver.wait(50min).send(event::StartUnit{Driver::id(0)}).spawned(0).exit(0, exited(0));
  EXPECT_TRUE(driver.wait(10min).spawns(0));
}

TEST(Schedule, AReloadThatChangesAJobStartsItsScheduleAnew) {
  Driver driver({every("job", 10s), service("web")});
  driver.boot().spawned(1).wait(10s).spawned(0).wait(4s);
  UnitSpec slower = every("job", 60s);
  driver.send(event::Reload{Plan{{slower, service("web")}, 120s, std::nullopt}});
  EXPECT_TRUE(driver.signals(0, SIGTERM));
  driver.exit(0, signaled(SIGTERM));
  EXPECT_EQ(driver.state(0), UnitState::kScheduled);
  EXPECT_FALSE(driver.wait(59s).spawns(0));
  EXPECT_TRUE(driver.wait(1s).spawns(0));
}

TEST(Schedule, AReloadThatTakesAJobAwayLeavesNothingDue) {
  Driver driver({every("job", 10s), service("web")});
  driver.boot().spawned(1);
  driver.send(event::Reload{Plan{{service("web")}, 120s, std::nullopt}});
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
  EXPECT_FALSE(driver.wait(60s).spawns(0));
}

TEST(Schedule, AReloadThatLeavesAJobAloneKeepsItsNextRun) {
  Driver driver({every("job", 10s), service("web")});
  driver.boot().spawned(1).wait(4s);
  driver.send(event::Reload{Plan{{service("more"), every("job", 10s), service("web")}, 120s, std::nullopt}});
  EXPECT_TRUE(driver.wait(6s).spawns(0));
}

TEST(Schedule, MoreInstancesAfterAReloadTakeAnySlots) {
  std::vector<UnitSpec> units = instances(2, 10s);
  units.push_back(service("web"));
  Driver driver(units);
  driver.boot().spawned(2);
  std::vector<UnitSpec> more = instances(4, 10s);
  more.push_back(service("web"));
  driver.send(event::Reload{Plan{more, 120s, std::nullopt}});
  for (const unsigned unit : {0U, 1U, 3U, 4U}) {
    driver.wait(10s);
    EXPECT_TRUE(driver.spawns(unit)) << unit;
    driver.spawned(unit);
  }
  driver.wait(10s);
  EXPECT_TRUE(driver.reports(EventName::kRunSkipped));
}

TEST(Schedule, CronThatAReloadBringsWaitsForTheTimeOfDay) {
  Driver driver({service("web")});
  driver.boot().spawned(0);
  driver.send(event::Reload{Plan{{service("web"), at("job", "30 12 * * *")}, 120s, std::nullopt}});
  EXPECT_EQ(driver.engine.next_deadline(), std::nullopt);
  driver.send(event::WallClock{kNoon});
  EXPECT_EQ(driver.engine.next_deadline(), driver.now + 30min);
}

}  // namespace
}  // namespace slipway::engine
