#include "control/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "served.hpp"

namespace slipway::control {
namespace {

using ::testing::HasSubstr;

class Servers : public Served {
 protected:
  static Request act(Verb verb, std::vector<std::string> units) {
    Request request;
    request.operation = Operation::kAct;
    request.verb = verb;
    request.units = std::move(units);
    return request;
  }
};

TEST_F(Servers, AnswerStatus) {
  serve();
  Client client = connected();
  const auto snapshot = client.status();
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->container.name, "app");
  ASSERT_EQ(snapshot->units.size(), 4U);
  EXPECT_EQ(snapshot->units[2].name, "web[1]");
}

TEST_F(Servers, AnswerManyRequestsOnOneConnection) {
  serve();
  Client client = connected();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(client.status());
}

TEST_F(Servers, AnswerAStartOnceTheUnitRuns) {
  serve();
  auto reply = std::async(std::launch::async, [this] {
    Client client = connected();
    return client.call(act(Verb::kStart, {"cache"}), kSoon).has_value();
  });
  ASSERT_TRUE(eventually([this] { return !handler_.calls.empty(); }));
  change(3, "running", 77);
  EXPECT_TRUE(reply.get());
}

TEST_F(Servers, AnswerAWaitOnceItHolds) {
  serve();
  auto reply = std::async(std::launch::async, [this] {
    Client client = connected();
    Request request;
    request.operation = Operation::kWait;
    return client.call(request, kSoon).has_value();
  });
  ASSERT_TRUE(eventually([this] { return server_->clients() == 1; }));
  on_loop([this] {
    handler_.status.ready = true;
    server_->notify_changed();
  });
  EXPECT_TRUE(reply.get());
}

TEST_F(Servers, EndAWaitForTheStopByLeaving) {
  serve();
  Client client = connected();
  Request request;
  request.operation = Operation::kWait;
  request.milestone = Milestone::kStopped;
  auto over = std::async(std::launch::async, [&] {
    (void)client.call(request, kSoon);
    return client.ended();
  });
  ASSERT_TRUE(eventually([this] { return server_->clients() == 1; }));
  stop();
  EXPECT_TRUE(over.get());
}

TEST_F(Servers, ForgetAWaitWhoseClientLeft) {
  serve();
  {
    Client client = connected();
    EXPECT_FALSE(client.call(act(Verb::kStop, {"web"}), std::chrono::milliseconds(50)));
    EXPECT_TRUE(client.timed_out());
  }
  EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
  change(1, "inactive");
  change(2, "inactive");
}

TEST_F(Servers, StreamLogsToThoseWhoFollow) {
  handler_.lines = {{1, {}, "earlier"}};
  serve();
  Client client = connected();
  Request request;
  request.operation = Operation::kLogs;
  request.units = {"web"};
  request.follow = true;
  const auto reply = client.call(request, kSoon);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->at("lines").as_array().size(), 1U);
  on_loop([this] {
    EXPECT_TRUE(server_->followed());
    server_->publish(3, "not asked for");
    server_->publish(kSlipway, "not asked for either");
    server_->publish(2, "from \xFF web");
  });
  const auto line = client.next(kSoon);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->at("line").at("unit").as_string(), "web[1]");
  EXPECT_EQ(line->at("line").at("text").as_string(), "from \xEF\xBF\xBD web");
}

TEST_F(Servers, SendManyLinesInBoundedPartsAndThenAnswerTheNextRequest) {
  for (int i = 0; i < 3000; ++i) handler_.lines.push_back({1, {}, std::to_string(i) + std::string(200, 'x')});
  serve();
  Client client = connected();
  Request request;
  request.operation = Operation::kLogs;
  request.lines = 2500;
  auto part = client.call(request, kSoon);
  std::size_t lines = 0;
  std::size_t parts = 0;
  for (;; part = client.next(kSoon), ++parts) {
    ASSERT_TRUE(part) << part.error().message;
    for (const auto& line : part->at("lines").as_array()) {
      EXPECT_TRUE(line.at("text").as_string().starts_with(std::to_string(500 + lines++) + "x"));
    }
    EXPECT_LT(control::to_line(*part).size(), 200000U);
    if (!part->contains("more")) break;
  }
  EXPECT_EQ(lines, 2500U);
  EXPECT_GT(parts, 5U);
  EXPECT_TRUE(client.status());
}

TEST_F(Servers, LoseNoLineBetweenTheLastOnesAndThoseThatFollow) {
  options_.max_unread = 1 << 18;
  for (int i = 0; i < 3000; ++i) handler_.lines.push_back({1, {}, std::to_string(i) + std::string(300, ' ')});
  serve();
  Client client = connected();
  Request request;
  request.operation = Operation::kLogs;
  request.lines = 100000;
  request.follow = true;
  auto message = client.call(request, kSoon);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->contains("more"));
  // While older lines are on their way: one is forgotten before its turn.
  on_loop([this] {
    for (const char* text : {"3000 ", FakeHandler::kForgotten, "3001 "}) {
      handler_.lines.push_back({1, {}, text});
      server_->publish(1, text);
    }
  });
  std::size_t next = 0;
  std::int64_t lost = 0;
  const auto see = [&](const boost::json::value& line) {
    EXPECT_TRUE(line.at("text").as_string().starts_with(std::to_string(next++) + " ")) << line;
  };
  for (;; message = client.next(kSoon)) {
    ASSERT_TRUE(message) << message.error().message;
    if (const auto* lines = message->if_contains("lines")) {
      for (const auto& line : lines->as_array()) see(line);
    }
    if (const auto* count = message->if_contains("lost_lines")) lost += count->as_int64();
    if (next == 3002 && lost > 0) break;
  }
  EXPECT_EQ(lost, 1);
  on_loop([this] { server_->publish(1, "3002 live"); });
  message = client.next(kSoon);
  ASSERT_TRUE(message);
  see(message->at("line"));
}

TEST_F(Servers, ObserversStayObservers) {
  serve();
  Client client = connected();
  Request observe;
  observe.operation = Operation::kObserve;
  ASSERT_TRUE(client.call(observe, kSoon));
  const auto reply = client.call(act(Verb::kStop, {"web"}), kSoon);
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ExitCode::kPermission);
  EXPECT_TRUE(client.status());
  EXPECT_TRUE(on_loop([this] { return handler_.calls.empty(); }));
}

TEST_F(Servers, RefuseASecondServerOnTheirSocket) {
  serve();
  boost::asio::io_context other;
  FakeHandler handler;
  const auto second = Server::listen(other, options_, handler);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another Slipway"));
  EXPECT_TRUE(connected().status());
}

TEST_F(Servers, RefuseStrangers) {
  if (geteuid() != 0) return;  // only root can become a stranger
  options_.mode = 0666;
  serve();
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(2);
    auto client = Client::connect(options_.path);
    if (!client) _exit(3);
    const auto reply = client->status();
    _exit(!reply && reply.error().code == ExitCode::kPermission ? 0 : 4);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Servers, TellAStrangerAtTheDoorWhoMayEnter) {
  if (geteuid() != 0) return;
  serve();
  ASSERT_EQ(chmod(directory_.c_str(), 0755), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0) _exit(2);
    const auto client = Client::connect(options_.path);
    const bool told = !client && client.error().message.find("permission denied for uid 65534: run this as root") !=
                                     std::string::npos;
    _exit(told ? 0 : 3);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(Servers, UnknownGroupsAreAConfigurationError) {
  boost::asio::io_context context;
  options_.group = "no-such-group-anywhere";
  const auto server = Server::listen(context, options_, handler_);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ExitCode::kConfiguration);
}

}  // namespace
}  // namespace slipway::control
