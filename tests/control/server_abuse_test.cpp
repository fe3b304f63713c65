#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <random>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "served.hpp"

namespace slipway::control {
namespace {

using ::testing::HasSubstr;

/// A connection without manners.
class Raw {
 public:
  explicit Raw(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Raw() { close(descriptor_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  /// How many of these bytes the other side took before it had enough.
  std::size_t send_some(std::string_view bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t size = send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size > 0) {
        sent += static_cast<std::size_t>(size);
        continue;
      }
      pollfd entry{descriptor_, POLLOUT, 0};
      if (errno != EAGAIN || poll(&entry, 1, 100) == 0) break;
    }
    return sent;
  }
  /// Everything until the other side closes.
  std::string drain() const {
    std::string all;
    char chunk[4096];
    for (;;) {
      pollfd entry{descriptor_, POLLIN, 0};
      if (poll(&entry, 1, 20000) != 1) return all + "<still open>";
      const ssize_t size = read(descriptor_, chunk, sizeof chunk);
      if (size <= 0) return all;
      all.append(chunk, static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] bool closed_by_peer() const {
    pollfd entry{descriptor_, POLLRDHUP, 0};
    return poll(&entry, 1, 20000) == 1;
  }

 private:
  int descriptor_ = -1;
};

class Abuse : public Served {
 protected:
  void expect_alive() { EXPECT_TRUE(connected().status()); }
};

TEST_F(Abuse, OversizedLinesEndTheConnection) {
  serve();
  const Raw raw(options_.path);
  (void)raw.send_some(std::string(200000, 'x'));
  EXPECT_THAT(raw.drain(), HasSubstr("too_long"));
  expect_alive();
}

TEST_F(Abuse, ALineOfExactlyTheLimitIsTaken) {
  serve();
  const Raw raw(options_.path);
  std::string line = R"({"do":"status"})";
  line += std::string(kMaxRequest - 1 - line.size(), ' ') + "\n";
  ASSERT_EQ(line.size(), kMaxRequest);
  ASSERT_EQ(raw.send_some(line + "x\n"), line.size() + 2);
  const std::string replies = raw.drain();
  EXPECT_THAT(replies, HasSubstr(R"("ok":true)"));
  EXPECT_THAT(replies, HasSubstr("bad_request"));
}

TEST_F(Abuse, HostileBytesEndTheConnection) {
  serve();
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const Raw raw(options_.path);
    std::string noise(random() % 3000, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    (void)raw.send_some(noise + "\n");
    EXPECT_THAT(raw.drain(), HasSubstr("bad_request")) << "seed " << seed;
  }
  expect_alive();
}

TEST_F(Abuse, APipelineIsAnsweredInOrder) {
  serve();
  const Raw raw(options_.path);
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += i % 2 == 0 ? "{\"do\":\"health\"}\n" : "{\"do\":\"status\"}\n";
  ASSERT_EQ(raw.send_some(requests + "bye\n"), requests.size() + 4);
  const std::string replies = raw.drain();
  EXPECT_EQ(std::count(replies.begin(), replies.end(), '\n'), 201);
  EXPECT_LT(replies.find("\"why\""), replies.find("\"units\""));
}

TEST_F(Abuse, AThousandClientsAreServedOrRefused) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &limit);
  serve();
  std::vector<Client> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(connected());
  std::size_t served = 0;
  std::size_t refused = 0;
  for (Client& client : clients) {
    const auto snapshot = client.status();
    if (snapshot) {
      ++served;
    } else {
      EXPECT_THAT(snapshot.error().message, HasSubstr("64 clients are connected already"));
      ++refused;
    }
  }
  EXPECT_EQ(served, 64U);
  EXPECT_EQ(refused, 936U);
  clients.clear();
  ASSERT_TRUE(eventually([this] { return server_->clients() == 0; }));
  expect_alive();
}

TEST_F(Abuse, WhoNeverReadsIsDroppedAndDelaysNobody) {
  options_.stall_limit = std::chrono::milliseconds(200);
  for (int i = 0; i < 3000; ++i) handler_.units.push_back(make_unit("w[" + std::to_string(i) + "]", "running"));
  serve();
  const Raw raw(options_.path);
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "{\"do\":\"status\"}\n";
  (void)raw.send_some(requests);
  expect_alive();
  EXPECT_TRUE(raw.closed_by_peer());
  EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
}

TEST_F(Abuse, WhoNeverAsksIsDropped) {
  options_.stall_limit = std::chrono::milliseconds(100);
  serve();
  const Raw silent(options_.path);
  const Raw halting(options_.path);
  (void)halting.send_some("{\"do\":");
  EXPECT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(halting.closed_by_peer());
}

TEST_F(Abuse, WhoHasAskedMayIdle) {
  options_.stall_limit = std::chrono::milliseconds(50);
  serve();
  Client idle = connected();
  ASSERT_TRUE(idle.status());
  const Raw silent(options_.path);  // its being dropped shows that the limit has passed
  ASSERT_TRUE(silent.closed_by_peer());
  EXPECT_TRUE(idle.status());
}

TEST_F(Abuse, ASlowFollowerLosesLinesNotTheServer) {
  options_.max_unread = 100000;
  serve();
  Client client = connected();
  Request request;
  request.operation = Operation::kLogs;
  request.follow = true;
  ASSERT_TRUE(client.call(request, kSoon));
  constexpr std::int64_t kLines = 20000;
  on_loop([this] {
    for (std::int64_t i = 0; i < kLines; ++i) server_->publish(1, std::string(100, 'x'));
  });
  std::int64_t received = 0;
  std::int64_t lost = 0;
  while (received + lost < kLines) {
    const auto line = client.next(kSoon);
    ASSERT_TRUE(line) << line.error().message << " after " << received << " and " << lost;
    const auto* count = line->if_contains("lost_lines");
    count != nullptr ? lost += count->as_int64() : ++received;
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(received, 100);
  EXPECT_EQ(received + lost, kLines);
}

TEST_F(Abuse, AFollowerWhoNeverReadsIsDropped) {
  options_.stall_limit = std::chrono::milliseconds(200);
  serve();
  const Raw raw(options_.path);
  (void)raw.send_some("{\"do\":\"logs\",\"follow\":true}\n");
  ASSERT_TRUE(eventually([this] { return server_->followed(); }));
  on_loop([this] {
    for (int i = 0; i < 20000; ++i) server_->publish(1, std::string(200, 'x'));
  });
  EXPECT_TRUE(raw.closed_by_peer());
  EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
}

}  // namespace
}  // namespace slipway::control
