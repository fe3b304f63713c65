#include "host/notify.hpp"

#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_fixture.hpp"

namespace slipway::host {
namespace {

class Notifying : public HostTest {
 protected:
  Notifying() {
    auto opened = NotifySocket::open(context, [this](const Notification& n) { received.push_back(n); });
    EXPECT_TRUE(opened.has_value());
    socket = std::make_unique<NotifySocket>(std::move(*opened));
  }
  ~Notifying() override { socket.reset(); }

  /// Sends from this process, with a descriptor attached if one is given.
  void send(const std::string& text, int attached = -1) {
    const Descriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = socket->address().substr(1);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    iovec piece{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_name = &address;
    message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    if (attached >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
    }
    EXPECT_EQ(::sendmsg(sender.get(), &message, 0), static_cast<ssize_t>(text.size()));
  }

  std::vector<Notification> received;
  std::unique_ptr<NotifySocket> socket;
};

TEST(Notifications, AreParsedLeniently) {
  const auto n = parse_notification("STATUS=Up = yes\nREADY=1\n\nX_SLIPWAY_STEP=2\nnonsense\nREADY=0\nX_OTHER=1");
  EXPECT_TRUE(n.ready);
  EXPECT_EQ(n.status, "Up = yes");
  ASSERT_EQ(n.extras.size(), 1U);
  EXPECT_EQ(n.extras[0].first, "X_SLIPWAY_STEP");
  EXPECT_FALSE(parse_notification("READY=10").ready);
  EXPECT_FALSE(parse_notification("").ready);
}

TEST(Notifications, KnowTheWholeProtocol) {
  const auto n = parse_notification(
      "RELOADING=1\nMONOTONIC_USEC=5\nSTOPPING=1\nWATCHDOG=1\nWATCHDOG_USEC=1500\nEXTEND_TIMEOUT_USEC=2000000\n"
      "MAINPID=7\nFDSTORE=1\nBARRIER=1\nERRNO=2");
  EXPECT_TRUE(n.reloading && n.stopping && n.alive && n.main_pid && n.stores_descriptors);
  EXPECT_FALSE(n.ready || n.trigger || n.status);
  EXPECT_EQ(n.watchdog_interval, std::chrono::milliseconds(2)) << "never shorter than asked";
  EXPECT_EQ(n.extend_timeout, std::chrono::seconds(2));
  EXPECT_TRUE(parse_notification("WATCHDOG=trigger").trigger);
  EXPECT_EQ(parse_notification("STATUS=").status, "");
}

TEST(Notifications, BoundAndDistrustNumbers) {
  const auto ten_years = std::chrono::hours(24 * 3650);
  EXPECT_EQ(parse_notification("WATCHDOG_USEC=18446744073709551615").watchdog_interval, ten_years);
  EXPECT_EQ(parse_notification("WATCHDOG_USEC=99999999999999999999999").watchdog_interval, ten_years);
  for (const char* text : {"", "-1", "1s", " 1", "0x1"}) {
    EXPECT_FALSE(parse_notification("EXTEND_TIMEOUT_USEC=" + std::string(text)).extend_timeout) << text;
  }
}

TEST(Notifications, WithNulBytesAreRefused) {
  EXPECT_EQ(parse_notification(std::string_view("READY=1\0", 8)).problem, nullptr);
  const auto n = parse_notification(std::string_view("READY=1\0STATUS=x", 16));
  EXPECT_STREQ(n.problem, "it holds NUL bytes");
  EXPECT_FALSE(n.ready);
}

TEST_F(Notifying, CanBeReadBeforeTheLoopsTurn) {
  send("WATCHDOG=1");
  socket->receive_pending();
  ASSERT_EQ(received.size(), 1U);
  EXPECT_TRUE(received[0].alive);
}

TEST_F(Notifying, NamesTheSenderAsTheKernelKnowsIt) {
  EXPECT_EQ(socket->address().front(), '@');
  send("READY=1\nSTATUS=hello");
  ASSERT_TRUE(run_until([&] { return !received.empty(); }));
  EXPECT_EQ(received[0].pid, ::getpid());
  EXPECT_EQ(received[0].group, ::getpgrp());
  EXPECT_TRUE(received[0].ready);
}

TEST_F(Notifying, ShowsTheGroupOfAWorkersChild) {
  // A member of the worker's group, not its leader, sends.
  Launch launch = shell(
      "/usr/bin/python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
      "s.sendto(b\"READY=1\", \"\\0\" + os.environ[\"NOTIFY_SOCKET\"][1:]); import signal; signal.pause()'; true");
  launch.environment.push_back("NOTIFY_SOCKET=" + socket->address());
  const int pid = start(launch);
  ASSERT_TRUE(run_until([&] { return !received.empty(); }));
  EXPECT_NE(received[0].pid, pid);
  EXPECT_EQ(received[0].group, pid);
  send_signal(pid, SIGKILL, true);
}

TEST_F(Notifying, ClosesDescriptorsThatStrangersAttach) {
  const Descriptor file(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  send("READY=1", file.get());
  EXPECT_TRUE(run_until([&] { return received.size() == 1; }));  // the fixture counts descriptors
}

TEST_F(Notifying, IgnoresDatagramsThatAreCut) {
  send("READY=1\nSTATUS=" + std::string(10000, 'x'));
  send("STATUS=next");
  ASSERT_TRUE(run_until([&] { return received.size() == 2; }));
  EXPECT_STREQ(received[0].problem, "it is longer than 4096 bytes");
  EXPECT_FALSE(received[0].ready);
  EXPECT_EQ(received[1].status, "next");
}

TEST_F(Notifying, TakesANewlineOnThePipeOnce) {
  int ready = 0;
  auto pipe = NotifyPipe::open(context, [&] { ++ready; });
  ASSERT_TRUE(pipe.has_value());
  Launch launch = shell("printf not-yet >&3; printf '\\n\\n' >&3; exec tail -f /dev/null");
  launch.descriptors = {{3, pipe->child_end()}};
  const int pid = start(launch);
  pipe->close_child_end();
  EXPECT_EQ(pipe->child_end(), -1);
  EXPECT_TRUE(run_until([&] { return ready == 1; }));
  send_signal(pid, SIGKILL, true);
  EXPECT_TRUE(run_until([&] { return !exits.empty(); }));
  EXPECT_EQ(ready, 1);
}

TEST_F(Notifying, IgnoresAnEndOfFileWithoutANewline) {
  int ready = 0;
  auto pipe = NotifyPipe::open(context, [&] { ++ready; });
  Launch launch = shell("printf text >&3");
  launch.descriptors = {{3, pipe->child_end()}};
  start(launch);
  pipe->close_child_end();
  EXPECT_TRUE(run_until([&] { return !exits.empty(); }));
  context.restart();
  context.poll();
  EXPECT_EQ(ready, 0);
}

}  // namespace
}  // namespace slipway::host
