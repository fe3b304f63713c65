#include "host/child_table.hpp"

#include <csignal>
#include <stdexcept>
#include <string>
#include <unistd.h>

#include "host/descendants.hpp"
#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using Kind = ExitStatus::Kind;

class Reaping : public HostTest {
 protected:
  Reaping() { EXPECT_TRUE(become_subreaper().has_value()); }
};

TEST_F(Reaping, KeepsTrackedStatusesThroughAStormOfOrphans) {
  // Each shell leaves children behind that exit by themselves, and exits with its own code.
  constexpr int kShells = 50;
  constexpr int kOrphans = 400;
  for (int i = 0; i < kShells; ++i) {
    start(shell("i=0; while [ $i -lt " + std::to_string(kOrphans) + " ]; do (exit 99) & i=$((i+1)); done; exit " +
                std::to_string(i + 1)));
  }
  ASSERT_TRUE(run_until([&] { return exits.size() == kShells && children->childless(); }));
  int sum = 0;
  for (const ChildExit& exit : exits) {
    EXPECT_EQ(exit.status.kind, Kind::kExited);
    sum += exit.status.value;
  }
  EXPECT_EQ(sum, kShells * (kShells + 1) / 2);
  EXPECT_EQ(children->tracked(), 0U);
  EXPECT_GT(children->orphans_reaped(), 0U);
}

TEST_F(Reaping, TellsWhenTheLastOfAGroupIsGone) {
  bool gone = false;
  int pid = 0;
  const auto started = launcher->launch(
      shell("tail -f /dev/null & exit 5"), [&](const ChildExit& exit) { exits.push_back(exit); }, [&] { gone = true; });
  pid = started.value();
  ASSERT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_TRUE(exits[0].group_alive);
  EXPECT_EQ(exits[0].status.value, 5);
  EXPECT_FALSE(gone);
  send_signal(pid, SIGKILL, true);
  EXPECT_TRUE(run_until([&] { return gone; }));
}

TEST_F(Reaping, NoticesAGroupThatSomebodyElseReaps) {
  // The member's parent left the group and waits for it itself, so no SIGCHLD of it reaches us.
  bool gone = false;
  const auto started = launcher->launch(
      shell("setsid -f sh -c 'exec tail -f /dev/null' ; tail -f /dev/null & exit 0"),
      [&](const ChildExit& exit) { exits.push_back(exit); }, [&] { gone = true; });
  ASSERT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_TRUE(exits[0].group_alive);
  for (const int pid : descendants()) ::kill(pid, SIGKILL);
  EXPECT_TRUE(run_until([&] { return gone; }));
  send_signal(*started, SIGKILL, true);
}

TEST_F(Reaping, TakesANewProcessOfTheSameNumberForTheEndOfTheGroup) {
  bool gone = false;
  const auto started = launcher->launch(
      shell("tail -f /dev/null & exit 0"), [&](const ChildExit& exit) { exits.push_back(exit); }, [&] { gone = true; });
  ASSERT_TRUE(run_until([&] { return !exits.empty(); }));
  ASSERT_TRUE(exits[0].group_alive);
  children->add(*started, {});
  EXPECT_FALSE(gone) << "from within add()";
  context.restart();
  context.poll();
  EXPECT_TRUE(gone);
  send_signal(*started, SIGKILL, true);
}

TEST_F(Reaping, HearsTheNextSignalAfterAHandlerFailed) {
  signals.reset();
  std::vector<int> heard;
  auto opened = Signals::open(context, [&](int signal) {
    heard.push_back(signal);
    if (heard.size() == 1) throw std::runtime_error("no memory");
  });
  ASSERT_TRUE(opened.has_value());
  ::raise(SIGUSR1);
  ::raise(SIGUSR2);
  context.restart();
  EXPECT_THROW(context.run(), std::runtime_error);
  EXPECT_EQ(heard.size(), 2U) << "the other signals of the same turn";
  ::raise(SIGHUP);
  EXPECT_TRUE(run_until([&] { return heard.size() == 3; }));
}

TEST_F(Reaping, KeepsASignalThatCameBeforeTheLoop) {
  signals.reset();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, nullptr, &before);
  Signals::hold();
  ::raise(SIGTERM);
  int heard = 0;
  auto opened = Signals::open(context, [&](int signal) { heard = signal; });
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(run_until([&] { return heard == SIGTERM; }));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(Reaping, ForgottenChildrenAreStillReaped) {
  const int pid = start(shell("exit 1"));
  children->forget(pid);
  EXPECT_TRUE(run_until([&] { return children->childless(); }));
  EXPECT_TRUE(exits.empty());
  EXPECT_EQ(children->tracked(), 0U);
}

TEST_F(Reaping, HandlersMayStartTheNextProcess) {
  int runs = 0;
  std::function<void(const ChildExit&)> again = [&](const ChildExit&) {
    if (++runs < 20) (void)launcher->launch(shell("exit 0"), again);
  };
  (void)launcher->launch(shell("exit 0"), again);
  EXPECT_TRUE(run_until([&] { return runs == 20; }));
}

class Sweeping : public Reaping {};

TEST_F(Sweeping, EndsWhatEscapedItsGroup) {
  start(shell("setsid -f sh -c 'trap \"\" TERM; while :; do tail -f /dev/null; done'; setsid -f tail -f /dev/null"));
  ASSERT_TRUE(run_until([&] { return !exits.empty() && !descendants().empty(); }));
  std::size_t left = 99;
  const Sweep sweep(context, *children, std::chrono::milliseconds(50), std::chrono::seconds(10),
                    [&](std::size_t count) { left = count; });
  EXPECT_TRUE(run_until([&] { return left != 99; }));
  EXPECT_EQ(left, 0U);
  EXPECT_TRUE(descendants().empty());
}

TEST_F(Sweeping, EndsAtOnceWithNothingToDo) {
  bool done = false;
  const Sweep sweep(context, *children, std::chrono::seconds(5), std::chrono::seconds(10),
                    [&](std::size_t left) { done = left == 0; });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(run_until([&] { return done; }));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(Sweeping, LeavesProcessesThatAreNotOurs) {
  const auto all = descendants();
  EXPECT_EQ(std::count(all.begin(), all.end(), ::getppid()), 0);
  EXPECT_EQ(std::count(all.begin(), all.end(), ::getpid()), 0);
}

}  // namespace
}  // namespace slipway::host
