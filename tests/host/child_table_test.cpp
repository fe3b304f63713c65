#include "host/child_table.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdexcept>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/descendants.hpp"
#include "host/escaped.hpp"
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

TEST_F(Reaping, TellsOfOrphansThatNobodyTracks) {
  ASSERT_TRUE(become_subreaper().has_value());
  std::vector<ChildExit> orphans;
  children->on_orphan([&](const ChildExit& orphan) { orphans.push_back(orphan); });
  const int pid = start(shell("sh -c 'exit 7' & exec true"));
  ASSERT_TRUE(run_until([&] { return !exits.empty() && !orphans.empty(); }));
  EXPECT_EQ(exits[0].pid, pid);
  EXPECT_EQ(orphans[0].status, (ExitStatus{ExitStatus::Kind::kExited, 7, {}}));
}

TEST_F(Reaping, NoticesAGroupThatSomebodyElseReaps) {
  // The member's parent left the group and waits for it itself, so no SIGCHLD of it reaches us.
  bool gone = false;
  const auto started = launcher->launch(
      shell("setsid -f sh -c 'exec tail -f /dev/null' ; tail -f /dev/null & exit 0"),
      [&](const ChildExit& exit) { exits.push_back(exit); }, [&] { gone = true; });
  ASSERT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_TRUE(exits[0].group_alive);
  for (const int pid : descendants()) signal_descendant(pid, SIGKILL);
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

/// Only a signal of number 0 is sent to others: it reaches nobody even where the refusal is broken.
TEST_F(Sweeping, SignalsDescendantsAlone) {
  for (const int stranger : {::getppid(), ::getpid(), 1, 0, -1, -::getpgrp()}) {
    EXPECT_FALSE(signal_descendant(stranger, 0)) << stranger;
  }
  const int pid = start(shell("exec tail -f /dev/null"));
  EXPECT_TRUE(signal_descendant(pid, 0));
  EXPECT_TRUE(signal_descendant(pid, SIGKILL));
  ASSERT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_EQ(exits.front().status.value, SIGKILL);
  EXPECT_FALSE(signal_descendant(pid, 0)) << "it is gone";
}

TEST_F(Sweeping, SignalsWhatIsManyForksBelow) {
  start(shell("sh -c 'sh -c \"tail -f /dev/null & wait\" & wait' & wait"));
  ASSERT_TRUE(run_until([&] { return descendants().size() == 4; }));
  for (const int pid : descendants()) EXPECT_TRUE(signal_descendant(pid, SIGKILL));
  EXPECT_TRUE(run_until([&] { return children->childless(); }));
}

TEST_F(Sweeping, FindsByItsMarkWhatEscapedItsGroup) {
  Launch launch = shell("setsid -f tail -f /dev/null; SLIPWAY_INSTANCE=boot/other/0 setsid -f tail -f /dev/null");
  launch.environment.push_back("SLIPWAY_INSTANCE=outer/slipway/0:boot/web/0");
  start(launch);
  const auto roots = [&](const char* mark) { return find_escaped(*children, mark).roots.size(); };
  ASSERT_TRUE(run_until([&] { return !exits.empty() && roots("boot/web/0") == 1 && roots("boot/other/0") == 1; }));
  EXPECT_EQ(roots("outer/slipway/0"), 1U) << "what is in a unit of an outer Slipway is in that unit";
  EXPECT_EQ(roots("boot/web/1") + roots("boot/web") + roots("web/0") + roots(""), 0U);
  int gone = 0;
  children->watch([&] { return roots("boot/web/0") > 0; }, [&] { ++gone; });
  signal_escaped(find_escaped(*children, "boot/web/0"), SIGTERM);
  EXPECT_TRUE(run_until([&] { return gone == 1; }));
  EXPECT_EQ(roots("boot/other/0"), 1U);
  signal_escaped(find_escaped(*children, "boot/other/0"), SIGKILL);
  EXPECT_TRUE(run_until([&] { return children->childless(); }));
  EXPECT_EQ(gone, 1);
}

/// Refuses pidfd_open for this process as an old kernel (ENOSYS) or a strict profile (EPERM) does.
void refuse_pidfd_open(unsigned error) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(code), code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(90);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) ::_exit(91);
}

TEST_F(Sweeping, SignalsDescendantsWithoutPidfds) {
  for (const unsigned error : {ENOSYS, EPERM}) {
    const int supervisor = ::fork();
    if (supervisor == 0) {
      refuse_pidfd_open(error);
      const int stranger = ::getppid();
      const int child = ::fork();
      if (child == 0) ::pause();
      if (signal_descendant(stranger, 0)) ::_exit(1);
      if (!signal_descendant(child, SIGKILL)) ::_exit(2);
      int status = 0;
      ::waitpid(child, &status, 0);
      ::_exit(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : 3);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(supervisor, &status, 0), supervisor);
    EXPECT_EQ(status, 0) << "with error " << error;
  }
}

}  // namespace
}  // namespace slipway::host
