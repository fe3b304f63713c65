#include "control/client.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::control {
namespace {

using ::testing::HasSubstr;

/// A client whose server is the test itself.
class Clients : public ::testing::Test {
 protected:
  Clients() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client_ = Client(ends[0], "control.sock");
    other_ = ends[1];
  }
  ~Clients() override { hang_up(); }

  void hang_up() {
    if (other_ >= 0) close(other_);
    other_ = -1;
  }
  void say(std::string_view text) const {
    EXPECT_EQ(write(other_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Client client_{-1, ""};
  int other_ = -1;
};

TEST_F(Clients, GiveUpAtTheDeadline) {
  const auto reply = client_.call(Request{}, std::chrono::milliseconds(20));
  ASSERT_FALSE(reply);
  EXPECT_TRUE(client_.timed_out());
  EXPECT_FALSE(client_.ended());
}

TEST_F(Clients, GiveUpOnAnAnswerThatTricklesIn) {
  say("{\"ok\":");
  EXPECT_FALSE(client_.call(Request{}, std::chrono::milliseconds(20)));
  EXPECT_TRUE(client_.timed_out());
}

TEST_F(Clients, NoticeThatSlipwayIsGone) {
  hang_up();
  EXPECT_FALSE(client_.call(Request{}, std::chrono::seconds(20)));
  EXPECT_TRUE(client_.ended());
}

TEST_F(Clients, ReadARefusalThatCameBeforeTheyAsked) {
  say("{\"ok\":false,\"code\":\"busy\",\"error\":\"64 clients\"}\n");
  shutdown(other_, SHUT_RDWR);
  const auto reply = client_.call(Request{}, std::chrono::seconds(20));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().message, "64 clients");
}

TEST_F(Clients, DistrustWhatIsNotSlipway) {
  say("HTTP/1.1 400 Bad Request\r\n\r\n");
  const auto reply = client_.call(Request{}, std::chrono::seconds(20));
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("not Slipway's"));
}

TEST_F(Clients, TakeSeveralLinesFromOneRead) {
  say("{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(client_.next(std::chrono::seconds(20))->at("a").as_int64(), 1);
  EXPECT_EQ(client_.next(std::chrono::seconds(20))->at("a").as_int64(), 2);
}

TEST(ClientConnect, ToNothingSaysHowToStartSlipway) {
  const auto client = Client::connect("/nonexistent/control.sock");
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().message,
            "no Slipway runs here (/nonexistent/control.sock): start it with `slipway run`, or name its socket with "
            "--socket");
}

TEST(ClientConnect, ToAPathThatCannotBeASocketIsRefused) {
  EXPECT_EQ(Client::connect("").error().code, ExitCode::kUsage);
  EXPECT_EQ(Client::connect(std::string(108, 'x')).error().code, ExitCode::kUsage);
}

}  // namespace
}  // namespace slipway::control
