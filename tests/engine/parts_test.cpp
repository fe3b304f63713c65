// The parts the machine is made of: deadlines, delays, texts, names.
#include <set>

#include "driver.hpp"
#include "engine/describe.hpp"
#include "engine/restart.hpp"
#include "engine/timers.hpp"

namespace slipway::engine {
namespace {

TEST(Timers, ComeInTheOrderOfTheirDeadlines) {
  Timers timers(5);
  const Instant start{};
  timers.arm(3, start + 30ms);
  timers.arm(1, start + 10ms);
  timers.arm(4, start + 40ms);
  timers.arm(2, start + 20ms);
  timers.disarm(2);
  timers.arm(4, start + 5ms);
  EXPECT_EQ(timers.next(), start + 5ms);
  EXPECT_EQ(timers.take_due(start + 4ms), std::nullopt);
  EXPECT_EQ(timers.take_due(start + 1s), 4U);
  EXPECT_EQ(timers.take_due(start + 1s), 1U);
  EXPECT_EQ(timers.take_due(start + 1s), 3U);
  EXPECT_EQ(timers.take_due(start + 1s), std::nullopt);
}

TEST(Timers, AgreeWithASortedSet) {
  constexpr std::size_t kSlots = 50;
  Timers timers(kSlots);
  std::set<std::pair<Instant, std::size_t>> expected;
  std::vector<std::optional<Instant>> armed(kSlots);
  std::uint64_t random = 12345;
  const auto next = [&random](std::uint64_t limit) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 33) % limit;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t slot = next(kSlots);
    if (armed[slot]) expected.erase({*armed[slot], slot});
    armed[slot].reset();
    if (next(3) == 0) {
      timers.disarm(slot);
    } else {
      armed[slot] = Instant(std::chrono::milliseconds(next(100)));
      timers.arm(slot, *armed[slot]);
      expected.emplace(*armed[slot], slot);
    }
    ASSERT_EQ(timers.next().has_value(), !expected.empty());
    if (expected.empty()) continue;
    ASSERT_EQ(timers.next(), expected.begin()->first);
    if (next(4) != 0) continue;
    ASSERT_EQ(timers.take_due(expected.begin()->first), expected.begin()->second);
    armed[expected.begin()->second].reset();
    expected.erase(expected.begin());
  }
}

TEST(After, DoesNotOverflowTheClock) {
  EXPECT_GT(after(Instant(1h), Duration::max()), Instant(1h));
  EXPECT_EQ(after(Instant(1h), Duration::min()), Instant(1h));
}

TEST(Backoff, DoublesUntilItsCap) {
  RestartPolicy policy;
  policy.jitter = 0;
  Jitter jitter(1);
  StartHistory history;
  for (const Duration expected : {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms}) {
    EXPECT_EQ(history.next_delay(policy, jitter), expected);
  }
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(history.next_delay(policy, jitter), 30s);
}

TEST(Backoff, BeginsAnewAfterAGoodRun) {
  RestartPolicy policy;
  policy.jitter = 0;
  Jitter jitter(1);
  StartHistory history;
  (void)history.next_delay(policy, jitter);
  history.run_ended(policy, 59s);
  EXPECT_EQ(history.next_delay(policy, jitter), 200ms);
  history.run_ended(policy, 60s);
  EXPECT_EQ(history.next_delay(policy, jitter), 100ms);
}

TEST(Backoff, StaysWithinItsJitter) {
  RestartPolicy policy;
  policy.jitter = 0.25;
  policy.backoff = 1;
  Jitter jitter(7);
  StartHistory history;
  std::set<Duration> seen;
  for (int i = 0; i < 1000; ++i) {
    const Duration delay = history.next_delay(policy, jitter);
    ASSERT_GE(delay, 75ms);
    ASSERT_LE(delay, 125ms);
    seen.insert(delay);
  }
  EXPECT_GT(seen.size(), 40U);
}

TEST(Backoff, SurvivesAbsurdSettings) {
  RestartPolicy policy;
  policy.backoff = 1e300;
  policy.max_delay = Duration::max();
  Jitter jitter(1);
  StartHistory history;
  for (int i = 0; i < 20; ++i) EXPECT_GE(history.next_delay(policy, jitter), Duration::zero());
  policy.backoff = -3;
  policy.jitter = 5;
  for (int i = 0; i < 20; ++i) EXPECT_GE(history.next_delay(policy, jitter), Duration::zero());
}

TEST(Describe, Durations) {
  EXPECT_EQ(describe(0ms), "0ms");
  EXPECT_EQ(describe(250ms), "250ms");
  EXPECT_EQ(describe(1500ms), "1.5s");
  EXPECT_EQ(describe(60s), "1m");
  EXPECT_EQ(describe(150s), "2m30s");
  EXPECT_EQ(describe(5400s), "1h30m");
}

TEST(Describe, Ends) {
  EXPECT_EQ(describe(exited(3)), "exited with code 3");
  EXPECT_EQ(describe(signaled(SIGSEGV)), "killed by SEGV");
  EXPECT_EQ(describe(signaled(42)), "killed by signal 42");
}

/// These are an interface: logs, `events` and monitoring depend on them.
TEST(Names, NeverChange) {
  const std::vector<std::string> states{"inactive", "waiting",  "starting", "running", "ready",   "unhealthy",
                                        "backoff",  "stopping", "exited",   "failed",  "skipped", "scheduled"};
  for (std::size_t i = 0; i < states.size(); ++i) EXPECT_EQ(to_string(static_cast<UnitState>(i)), states[i]);
  const std::vector<std::string> events{"unit.starting",      "unit.started",
                                        "unit.ready",         "unit.unhealthy",
                                        "unit.watchdog",      "unit.reloading",
                                        "unit.reloaded",      "unit.exited",
                                        "unit.backoff",       "unit.stopping",
                                        "unit.killed",        "unit.stopped",
                                        "unit.failed",        "unit.skipped",
                                        "unit.leftover",      "unit.hook",
                                        "unit.hook_failed",   "container.ready",
                                        "container.stopping", "container.stopped",
                                        "config.reloaded",    "config.reload_abandoned",
                                        "run.finished",       "run.failed",
                                        "run.skipped"};
  for (std::size_t i = 0; i < events.size(); ++i) EXPECT_EQ(to_string(static_cast<EventName>(i)), events[i]);
  const std::vector<std::string> markers{"database.ready", "migrate.done", "ready", "failed"};
  for (std::size_t i = 0; i < markers.size(); ++i) EXPECT_EQ(to_string(static_cast<Marker>(i)), markers[i]);
}

TEST(Engine, HandlesThousandsOfUnits) {
  std::vector<UnitSpec> units;
  for (unsigned i = 0; i < 300; ++i) units.push_back(service("cache"));
  for (unsigned i = 0; i < 3000; ++i) {
    UnitSpec web = restarting("web");
    for (unsigned on = 0; on < 300; ++on) depends(web, on);
    units.push_back(std::move(web));
  }
  Driver driver(std::move(units));
  driver.boot();
  for (unsigned i = 0; i < 3300; ++i) driver.spawned(i);
  EXPECT_TRUE(driver.engine.ready());
  for (unsigned i = 300; i < 3300; ++i) driver.exit(i, exited(1));
  driver.wait(1s);
  for (unsigned i = 300; i < 3300; ++i) driver.spawned(i);
  driver.stop();
  for (unsigned i = 3300; i-- > 0;) driver.exit(i, exited(0));
  EXPECT_EQ(driver.finish(), 0);
}

}  // namespace
}  // namespace slipway::engine
