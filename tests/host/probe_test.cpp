#include "host/probe.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <optional>
#include <sys/stat.h>

#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using boost::asio::ip::tcp;
using std::chrono::milliseconds;
using testing::HasSubstr;

class Probing : public HostTest {
 protected:
  ProbeHandler store() {
    return [this](const ProbeResult& result) { results.push_back(result); };
  }
  ProbeResult answer() {
    EXPECT_TRUE(run_until([&] { return !results.empty(); }));
    EXPECT_EQ(results.size(), 1U);
    return results.empty() ? ProbeResult{} : results.front();
  }
  /// Listens on a port of the kernel's choice.
  std::uint16_t listen(const char* address = "127.0.0.1") {
    acceptor.emplace(context, tcp::endpoint(boost::asio::ip::make_address(address), 0));
    return acceptor->local_endpoint().port();
  }
  /// Answers the first connection with `text` after reading something.
  std::uint16_t serve(const std::string& text) {
    const std::uint16_t port = listen();
    reply = text;
    acceptor->async_accept([this](boost::system::error_code, tcp::socket accepted) {
      connection.emplace(std::move(accepted));
      connection->async_read_some(boost::asio::buffer(request), [this](boost::system::error_code, std::size_t bytes) {
        seen.assign(request.data(), bytes);
        boost::system::error_code ignored;
        boost::asio::write(*connection, boost::asio::buffer(reply), ignored);
        if (!reply.empty()) connection.reset();
      });
    });
    return port;
  }
  ProbeResult http(const std::string& text, std::vector<unsigned> status = {}) {
    results.clear();
    const std::string url = "http://127.0.0.1:" + std::to_string(serve(text)) + "/health?x=1#part";
    const auto probe =
        start_http_probe(context, {url, {{"X-Test", "1"}}, std::move(status)}, milliseconds(3000), store());
    return answer();
  }

  std::vector<ProbeResult> results;
  std::optional<tcp::acceptor> acceptor;
  std::optional<tcp::socket> connection;
  std::array<char, 4096> request{};
  std::string reply;
  std::string seen;
};

TEST_F(Probing, ConnectsByTcp) {
  const auto probe = start_tcp_probe(context, {"127.0.0.1", listen()}, milliseconds(3000), store());
  EXPECT_TRUE(results.empty());
  EXPECT_TRUE(answer().ok);
}

TEST_F(Probing, ReportsARefusedConnection) {
  const std::uint16_t port = listen();
  acceptor.reset();
  const auto probe = start_tcp_probe(context, {"localhost", port}, milliseconds(3000), store());
  const auto result = answer();
  EXPECT_FALSE(result.ok);
  EXPECT_THAT(result.detail, HasSubstr("connect to 127.0.0.1:" + std::to_string(port) +
                                       ": Connection refused, "
                                       "connect to [::1]:"));
}

TEST_F(Probing, RefusesNamesWithoutALookUp) {
  const auto probe = start_tcp_probe(context, {"db.example", 5432}, milliseconds(3000), store());
  EXPECT_TRUE(results.empty());
  EXPECT_THAT(answer().detail, HasSubstr("'db.example' is not an address"));
}

TEST_F(Probing, JudgesHttpByStatus) {
  EXPECT_TRUE(http("HTTP/1.1 204 No Content\r\n\r\n").ok);
  EXPECT_THAT(seen, HasSubstr("GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(seen, HasSubstr("\r\nX-Test: 1\r\n"));
  EXPECT_TRUE(http("HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n").ok);
  EXPECT_EQ(http("HTTP/1.1 503 Busy\r\n\r\n").detail, "HTTP status 503");
  EXPECT_TRUE(http("HTTP/1.1 503 Busy\r\n\r\n", {503}).ok);
  EXPECT_FALSE(http("HTTP/1.1 200 OK\r\n\r\n", {503}).ok);
  EXPECT_TRUE(http("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").ok);
}

TEST_F(Probing, RefusesWhatIsNotHttp) {
  EXPECT_EQ(http("SSH-2.0-OpenSSH_9.2\r\n").detail, "the answer is not HTTP");
  EXPECT_EQ(http("HTTP/1.1 abc\r\n\r\n").detail, "the answer is not HTTP");
  EXPECT_THAT(http("HTTP/1.1 20").detail, HasSubstr("ended before an HTTP answer"));
  EXPECT_THAT(http(std::string(40000, 'x')).detail, HasSubstr("longer than 16 KiB"));
}

TEST_F(Probing, RefusesBadUrlsAndHeaders) {
  for (const char* url : {"https://127.0.0.1/", "127.0.0.1", "http://", "http://u@127.0.0.1/", "http://127.0.0.1:x/",
                          "http://127.0.0.1:99999/", "http://127.0.0.1/a b"}) {
    results.clear();
    const auto probe = start_http_probe(context, {url, {}, {}}, milliseconds(3000), store());
    EXPECT_FALSE(answer().ok) << url;
  }
  results.clear();
  const auto probe =
      start_http_probe(context, {"http://127.0.0.1/", {{"A", "x\r\nB: y"}}, {}}, milliseconds(3000), store());
  EXPECT_THAT(answer().detail, HasSubstr("line break"));
}

TEST_F(Probing, TimesOutOnASilentServer) {
  const std::string url = "http://127.0.0.1:" + std::to_string(serve("")) + "/";
  const auto probe = start_http_probe(context, {url, {}, {}}, milliseconds(60), store());
  EXPECT_EQ(answer().detail, "no answer within 60 ms");
}

TEST_F(Probing, IsSilentAfterCancellation) {
  auto probe = start_tcp_probe(context, {"127.0.0.1", listen()}, milliseconds(3000), store());
  auto exec = start_exec_probe(context, *children, shell("exit 0"), milliseconds(3000), store());
  auto file = start_file_probe(context, {"/", {}}, store());
  probe.reset();
  exec.reset();
  file.reset();
  EXPECT_TRUE(run_until([&] { return children->childless(); }));
  context.restart();
  context.poll();
  EXPECT_TRUE(results.empty());
}

TEST_F(Probing, MayBeDestroyedByItsHandler) {
  std::unique_ptr<Probe> probe;
  bool called = false;
  probe = start_tcp_probe(context, {"127.0.0.1", listen()}, milliseconds(3000), [&](const ProbeResult&) {
    probe.reset();
    called = true;
  });
  EXPECT_TRUE(run_until([&] { return called; }));
}

TEST_F(Probing, RunsCommands) {
  const auto run_probe = [&](const std::string& script, int timeout) {
    results.clear();
    const auto probe = start_exec_probe(context, *children, shell(script), milliseconds(timeout), store());
    return answer();
  };
  EXPECT_TRUE(run_probe("echo fine; exit 0", 5000).ok);
  EXPECT_THAT(run_probe("echo 'no route'; echo second; exit 2", 5000).detail, HasSubstr("exited with code 2"));
  EXPECT_EQ(run_probe("exec tail -f /dev/null", 50).detail, "no answer within 50 ms");
  // Much output and a child left behind: neither blocks nor survives.
  EXPECT_TRUE(run_probe("head -c 1000000 /dev/zero; tail -f /dev/null & exit 0", 5000).ok);
  Launch missing = shell("");
  missing.argv = {"no-such-program"};
  results.clear();
  const auto probe = start_exec_probe(context, *children, missing, milliseconds(5000), store());
  EXPECT_THAT(answer().detail, HasSubstr("not found in PATH"));
}

TEST_F(Probing, DoesNotWaitForADaemonThatHoldsTheOutput) {
  const std::string file = directory() + "/pid";
  const std::string script = "setsid sh -c 'echo $$ > " + file + ".new && mv " + file + ".new " + file +
                             "; exec tail -f /dev/null' & until [ -e " + file + " ]; do :; done";
  const auto probe = start_exec_probe(context, *children, shell(script), milliseconds(10000), store());
  EXPECT_TRUE(answer().ok);
  int daemon = 0;
  std::ifstream(file) >> daemon;
  ASSERT_GT(daemon, 1);
  ::kill(daemon, SIGKILL);
}

TEST_F(Probing, LooksAtFiles) {
  const std::string path = write_file("fresh", "");
  const auto run_probe = [&](const config::FileProbe& probe) {
    results.clear();
    const auto running = start_file_probe(context, probe, store());
    return answer();
  };
  EXPECT_TRUE(run_probe({path, milliseconds(60000)}).ok);
  EXPECT_FALSE(run_probe({directory() + "/none", {}}).ok);
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), old, 0), 0);
  EXPECT_TRUE(run_probe({path, {}}).ok);
  EXPECT_THAT(run_probe({path, milliseconds(60000)}).detail, HasSubstr("allowed are 60000 ms"));
}

}  // namespace
}  // namespace slipway::host
