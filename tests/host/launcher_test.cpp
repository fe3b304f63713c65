#include <csignal>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/descriptor.hpp"
#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = ExitStatus::Kind;

class Launching : public HostTest {};

TEST_F(Launching, ReportsExitCodeAndSignal) {
  EXPECT_EQ(run(shell("exit 3")).status, (ExitStatus{Kind::kExited, 3, {}}));
  EXPECT_EQ(run(shell("kill -9 $$")).status, (ExitStatus{Kind::kSignaled, 9, {}}));
  EXPECT_EQ(run(shell("exit 127")).status, (ExitStatus{Kind::kExited, 127, {}}));
}

TEST_F(Launching, GivesExactlyTheEnvironmentAndArguments) {
  Launch launch = shell("");
  launch.argv = {"/usr/bin/env"};
  launch.environment = {"A=1", "B=two words", "PATH=/bin"};
  run(launch);
  EXPECT_EQ(output, "A=1\nB=two words\nPATH=/bin\n");
  launch.argv = {"printf", "[%s]", "a b", "", "*", "\xff'\"\n"};
  launch.environment = {"PATH=/nowhere:/usr/bin"};
  run(launch);
  EXPECT_EQ(output, "[a b][][*][\xff'\"\n]");
}

TEST_F(Launching, LeadsItsOwnGroupAtOnce) {
  const int pid = start(shell("exec tail -f /dev/null"));
  EXPECT_EQ(::getpgid(pid), pid);
  send_signal(pid, SIGTERM, true);
  EXPECT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_EQ(exits.at(0).status, (ExitStatus{Kind::kSignaled, SIGTERM, {}}));
}

TEST_F(Launching, ResetsMaskAndDispositions) {
  run(shell("exec grep -E '^Sig(Blk|Ign)' /proc/self/status"));
  const std::string clean = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n";
  EXPECT_EQ(output, clean);
}

TEST_F(Launching, LeaksNoDescriptorAndPassesTheNamedOnes) {
  const Descriptor leak(::open("/dev/null", O_RDONLY));  // not close-on-exec, on purpose
  Pipe pipe = make_pipe();
  Launch launch = shell("ls /proc/$$/fd; echo ready >&7");
  launch.descriptors = {{7, pipe.write.get()}};
  run(launch);
  EXPECT_EQ(output, "0\n1\n2\n7\n");
  char text[16] = {};
  EXPECT_EQ(::read(pipe.read.get(), text, sizeof text), 6);
  EXPECT_STREQ(text, "ready\n");
}

TEST_F(Launching, SwapsDescriptorsThatAreEachOthersTargets) {
  Pipe pipe = make_pipe();
  Launch launch = shell("");
  launch.argv = {"/bin/sh", "-c", "echo x >&" + std::to_string(pipe.read.get()) + "; echo done"};
  launch.descriptors = {{pipe.read.get(), pipe.write.get()}, {pipe.write.get(), pipe.read.get()}};
  run(launch);
  EXPECT_EQ(output, "done\n");
  char text[4] = {};
  EXPECT_EQ(::read(pipe.read.get(), text, sizeof text), 2);
}

TEST_F(Launching, SetsDirectoryAndUmask) {
  Launch launch = shell("pwd; umask");
  launch.working_dir = "/usr";
  launch.umask = 027;
  run(launch);
  EXPECT_EQ(output, "/usr\n0027\n");
}

TEST_F(Launching, SetsLimitsPriorityAndPrivileges) {
  Launch launch =
      shell("ulimit -Sn; ulimit -Hn; ulimit -c; nice; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status");
  launch.limits = {{RLIMIT_NOFILE, 100, 200}, {RLIMIT_CORE, 0, 0}};
  launch.nice = 7;
  launch.oom_score_adj = 700;
  launch.no_new_privileges = true;
  run(launch);
  EXPECT_EQ(output, "100\n200\n0\n7\n700\nNoNewPrivs:\t1\n");
}

TEST_F(Launching, SetsLimitsWhileItIsStillRoot) {
  Launch launch = shell("ulimit -Hn; nice; id -u");
  launch.user = "65534";
  launch.nice = -3;
  launch.limits = {{RLIMIT_NOFILE, 4, 4}, {RLIMIT_NPROC, 4096, 4096}};
  run(launch);
  EXPECT_EQ(output, "4\n-3\n65534\n");
}

TEST_F(Launching, SaysWhatFailedAtWhichStage) {
  Launch launch = shell("true");
  launch.working_dir = "/does/not/exist";
  EXPECT_EQ(run(launch).status.reason, "cannot change to working directory /does/not/exist: No such file or directory");
  launch = shell("");
  launch.argv = {"/does/not/exist"};
  EXPECT_EQ(run(launch).status.reason, "cannot execute /does/not/exist: No such file or directory");
  launch.argv = {"/usr"};
  EXPECT_EQ(run(launch).status.reason, "cannot execute /usr: it is a directory");
  launch.argv = {write_file("text", "plain text\n", 0755)};
  EXPECT_THAT(run(launch).status.reason, HasSubstr("neither a program for this machine nor a script"));
  launch.argv = {write_file("script", "#!/no/such/shell\n", 0755)};
  EXPECT_THAT(run(launch).status.reason, HasSubstr("the interpreter or loader it asks for does not"));
  launch = shell("true");
  launch.descriptors = {{5, 4000}};
  const ChildExit exit = run(launch);
  EXPECT_EQ(exit.status.kind, Kind::kNotStarted);
  EXPECT_EQ(exit.status.reason, "cannot set up descriptor 5: Bad file descriptor");
}

TEST_F(Launching, PlacesAChildInASessionOrInItsParentsGroup) {
  Launch launch = shell("exec cut -d ' ' -f 5,6 /proc/self/stat");
  launch.placement = Placement::kOwnSession;
  const std::string pid = std::to_string(run(launch).pid);
  EXPECT_EQ(output, pid + " " + pid + "\n");
  launch.placement = Placement::kParentsGroup;
  run(launch);
  EXPECT_EQ(output, std::to_string(::getpgrp()) + " " + std::to_string(::getsid(0)) + "\n");
}

TEST_F(Launching, HandsOnTheSignalStateItIsGiven) {
  Launch launch = shell("exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
  launch.signals.emplace();
  ::sigemptyset(&launch.signals->mask);
  ::sigemptyset(&launch.signals->ignored);
  ::sigaddset(&launch.signals->mask, SIGUSR1);
  ::sigaddset(&launch.signals->ignored, SIGHUP);
  run(launch);
  EXPECT_EQ(output, "SigBlk:\t0000000000000200\nSigIgn:\t0000000000000001\n");
}

TEST_F(Launching, KeepsInheritedDescriptorsOnlyWhenAsked) {
  const Descriptor inherited(::open("/dev/null", O_RDONLY));  // not close-on-exec, on purpose
  Launch launch = shell("test -e /proc/self/fd/" + std::to_string(inherited.get()));
  EXPECT_EQ(run(launch).status.value, 1);
  launch.keep_descriptors = true;
  EXPECT_EQ(run(launch).status.value, 0);
}

TEST_F(Launching, SaysTheErrorOfACommandThatIsNone) {
  Launch launch = shell("");
  launch.argv = {write_file("text", "plain text\n", 0755)};
  EXPECT_EQ(run(launch).status.value, ENOEXEC);
  EXPECT_EQ(find_program("no-such-program", "/bin", "").error().error, ENOENT);
  EXPECT_EQ(find_program("local", "/usr", "").error().error, EACCES);
}

TEST_F(Launching, SearchesTheChildsPath) {
  const std::string program = write_file("hello", "#!/bin/sh\necho hello\n", 0755);
  Launch launch = shell("");
  launch.argv = {"hello"};
  launch.environment = {"PATH=/nowhere:" + directory()};
  run(launch);
  EXPECT_EQ(output, "hello\n");
  launch.environment = {"PATH="};
  launch.working_dir = directory();
  run(launch);
  EXPECT_EQ(output, "hello\n");

  const auto message = [&](const std::string& name, const std::string& path) {
    return find_program(name, path, "").error().message;
  };
  EXPECT_EQ(message("hello", "/bin:/sbin"), "command 'hello' not found in PATH=/bin:/sbin");
  EXPECT_EQ(message("local", "/usr"), "command 'local': /usr/local is a directory");
  write_file("plain", "x");
  EXPECT_EQ(message("plain", directory()), "command 'plain': " + directory() + "/plain is not executable: chmod +x it");
}

TEST_F(Launching, RefusesAnEmptyCommandAndUnknownUsers) {
  Launch launch = shell("true");
  launch.argv.clear();
  EXPECT_EQ(launcher->launch(launch, {}).error().message, "the command is empty");
  launch = shell("true");
  launch.user = "nobody-knows";
  const auto refused = launcher->launch(launch, {});
  EXPECT_EQ(refused.error().message, "user 'nobody-knows': no such user in /etc/passwd");
  EXPECT_FALSE(refused.error().retryable);
}

TEST_F(Launching, BecomesTheUser) {
  if (::geteuid() != 0) {
    Launch launch = shell("true");
    launch.user = "65534:65534";
    EXPECT_THAT(run(launch).status.reason, HasSubstr("Slipway must run as root"));
    return;
  }
  Launch launch = shell("id -u; id -g; id -G; echo $HOME $USER $LOGNAME; grep CapEff /proc/self/status");
  launch.user = "12345";
  run(launch);
  EXPECT_EQ(output, "12345\n0\n0\n/\nCapEff:\t0000000000000000\n");
  launch.user = "nobody:daemon";
  launch.supplementary_groups = {"777", "tty"};
  launch.environment.push_back("HOME=/mine");
  run(launch);
  EXPECT_EQ(output, "65534\n1\n1 5 777\n/mine nobody nobody\nCapEff:\t0000000000000000\n");
}

TEST_F(Launching, TellsRefusedForksAsRetryable) {
  if (::geteuid() == 0) {
    // Root is exempt from RLIMIT_NPROC: the pipe for reports is refused instead.
    struct rlimit before{};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const struct rlimit none{3, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    const auto refused = launcher->launch(shell("true"), {});
    ::setrlimit(RLIMIT_NOFILE, &before);
    ASSERT_FALSE(refused.has_value());
    EXPECT_TRUE(refused.error().retryable) << refused.error().message;
    EXPECT_THAT(refused.error().message, HasSubstr("Too many open files"));
  }
  EXPECT_TRUE(run(shell("true")).status.success());
}

TEST_F(Launching, SurvivesManyFailuresAtOnce) {
  Launch launch = shell("");
  launch.argv = {"/does/not/exist"};
  for (int i = 0; i < 400; ++i) start(launch);  // more records than the pipe holds
  EXPECT_TRUE(run_until([&] { return exits.size() == 400; }));
  for (const ChildExit& exit : exits) EXPECT_EQ(exit.status.kind, Kind::kNotStarted);
}

}  // namespace
}  // namespace slipway::host
