#include "web/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "http_peer.hpp"
#include "served.hpp"

namespace slipway::web {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// A real HTTP server on a real bridge to a real control socket, whose supervisor is made of plain values.
class Web : public control::Served {
 protected:
  void serve_web() {
    serve();
    control::Client client = connected();
    const int listener = loopback_listener();
    port_ = port_of(listener);
    context_web_ = std::make_unique<boost::asio::io_context>(1);
    bridge_ = std::make_unique<Bridge>(*context_web_, client.release(), [this] { lost_.set_value(); }, bridge_options_);
    web_ = std::make_unique<HttpServer>(*context_web_, listener, *bridge_, http_options_);
    web_thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(*context_web_);
      context_web_->run();
    });
  }

  ~Web() override {
    if (!context_web_) return;
    context_web_->stop();
    web_thread_.join();
    web_.reset();
    bridge_.reset();
    context_web_.reset();
  }

  std::string get(const std::string& target) const { return HttpPeer::ask(port_, "GET", target); }

  std::uint16_t port_ = 0;
  HttpOptions http_options_;
  BridgeOptions bridge_options_;
  std::promise<void> lost_;
  std::unique_ptr<boost::asio::io_context> context_web_;
  std::unique_ptr<Bridge> bridge_;
  std::unique_ptr<HttpServer> web_;
  std::thread web_thread_;
};

TEST_F(Web, AnswersItsRoutes) {
  bridge_options_.freshness = std::chrono::milliseconds(0);
  serve_web();
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(get("/status"), HasSubstr("\"name\":\"web[1]\""));
  EXPECT_THAT(get("/metrics"), HasSubstr("slipway_units{state=\"running\"} 2"));
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(HttpPeer::ask(port_, "POST", "/status"), HasSubstr("Allow: GET, HEAD"));
  on_loop([this] { handler_.status.ready = true; });
  EXPECT_THAT(get("/readyz"), EndsWith("\r\n\r\nready\n"));
}

TEST_F(Web, AnswersHeadWithoutABody) {
  serve_web();
  const std::string reply = HttpPeer::ask(port_, "HEAD", "/status");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(Web, AnswersSeveralRequestsOnOneConnection) {
  serve_web();
  const HttpPeer peer(port_);
  peer.say("GET /livez HTTP/1.1\r\n\r\nHEAD /livez HTTP/1.1\r\n\r\nGET /livez HTTP/1.1\r\nConnection: close\r\n\r\n");
  const std::string replies = peer.drain();
  std::size_t count = 0;
  for (std::size_t at = replies.find("HTTP/1.1 200"); at != std::string::npos;
       at = replies.find("HTTP/1.1 200", at + 1))
    ++count;
  EXPECT_EQ(count, 3U);
}

TEST_F(Web, RefusesLongHeadersAndBodies) {
  serve_web();
  const HttpPeer fields(port_);
  fields.say("GET /livez HTTP/1.1\r\nX: " + std::string(20000, 'x'));
  EXPECT_THAT(fields.drain(), StartsWith("HTTP/1.1 431"));
  const HttpPeer target(port_);
  target.say("GET /" + std::string(20000, 'x'));
  EXPECT_THAT(target.drain(), Not(HasSubstr("200 OK")));
  const HttpPeer body(port_);
  body.say("POST /status HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_THAT(body.drain(), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(get("/livez"), HasSubstr("ok"));
}

TEST_F(Web, SurvivesHostileBytes) {
  serve_web();
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const HttpPeer peer(port_);
    std::string noise = round % 2 == 0 ? "GET /status HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
                                       : std::string(random() % 500, '\0');
    for (std::size_t edits = round % 2 == 0 ? 3 : noise.size(); edits > 0; --edits) {
      noise[random() % noise.size()] = static_cast<char>(random());
    }
    peer.say(noise);
  }
  EXPECT_THAT(get("/livez"), HasSubstr("ok")) << "seed " << seed;
}

TEST_F(Web, DropsWhoeverDawdles) {
  http_options_.patience = std::chrono::milliseconds(100);
  serve_web();
  const HttpPeer silent(port_);
  const HttpPeer halting(port_);
  halting.say("GET /livez HTTP/1.1\r\nHost:");
  EXPECT_THAT(silent.drain(), Not(HasSubstr("still open")));
  EXPECT_THAT(halting.drain(), Not(HasSubstr("still open")));
}

TEST_F(Web, ServesNoMoreThanItsLimit) {
  http_options_.max_connections = 2;
  serve_web();
  const HttpPeer first(port_);
  const HttpPeer second(port_);
  first.say("GET /livez HTTP/1.1\r\n\r\n");
  second.say("GET /livez HTTP/1.1\r\n\r\n");
  EXPECT_EQ(get("/livez"), "");
}

TEST_F(Web, NoticesThatSlipwayIsGone) {
  serve_web();
  EXPECT_THAT(get("/livez"), HasSubstr("ok"));
  stop();
  ASSERT_EQ(lost_.get_future().wait_for(kSoon), std::future_status::ready);
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 503"));
}

TEST_F(Web, AsksSlipwayOnceForManyRequests) {
  bridge_options_.freshness = std::chrono::seconds(100);
  serve_web();
  EXPECT_THAT(get("/readyz"), HasSubstr("503"));
  on_loop([this] { handler_.status.ready = true; });
  for (int i = 0; i < 50; ++i) EXPECT_THAT(get("/readyz"), HasSubstr("503")) << "answered from what is known";
}

}  // namespace
}  // namespace slipway::web
