#include "control/peer.hpp"

#include <cstdio>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::control {
namespace {

TEST(Peer, RootAndTheOwnerMayControl) {
  EXPECT_TRUE(may_control(Peer{1, 0, 0, {}}, PeerPolicy{1000, std::nullopt}));
  EXPECT_TRUE(may_control(Peer{1, 1000, 1000, {}}, PeerPolicy{1000, std::nullopt}));
}

TEST(Peer, OthersMayNot) {
  EXPECT_FALSE(may_control(Peer{1, 1001, 0, {0}}, PeerPolicy{1000, std::nullopt}));
  EXPECT_FALSE(may_control(Peer{1, 1001, 1001, {5}}, PeerPolicy{1000, 50}));
}

TEST(Peer, MembersOfTheGroupMay) {
  EXPECT_TRUE(may_control(Peer{1, 1001, 50, {}}, PeerPolicy{1000, 50}));
  EXPECT_TRUE(may_control(Peer{1, 1001, 7, {5, 50}}, PeerPolicy{1000, 50}));
}

TEST(Peer, TheKernelSaysWhoItIs) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const auto peer = peer_of(ends[0]);
  ASSERT_TRUE(peer);
  EXPECT_EQ(peer->uid, geteuid());
  EXPECT_EQ(peer->gid, getegid());
  EXPECT_EQ(peer->pid, getpid());
  EXPECT_EQ(peer->groups.size(), static_cast<std::size_t>(getgroups(0, nullptr)));
  close(ends[0]);
  close(ends[1]);
}

TEST(Group, IsFoundByNumberAndByName) {
  const std::string path = ::testing::TempDir() + "slipway-group-file";
  std::ofstream(path) << "broken\nroot:x:0:\nops:x:997:alice,bob\nopsx:x:998:\nhuge:x:99999999999:\n";
  EXPECT_EQ(find_group("12", path).value(), 12U);
  EXPECT_EQ(find_group("ops", path).value(), 997U);
  EXPECT_EQ(find_group("root", path).value(), 0U);
  for (const char* name : {"op", "broken", "huge", "", "-1", "4294967295", "ops:x"}) {
    const auto group = find_group(name, path);
    ASSERT_FALSE(group) << name;
    EXPECT_EQ(group.error().code, ExitCode::kConfiguration);
  }
  std::remove(path.c_str());
}

}  // namespace
}  // namespace slipway::control
