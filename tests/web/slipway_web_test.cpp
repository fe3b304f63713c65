// The program slipway-web, started as PID 1 starts it: with rights and secrets, which must both be gone afterwards.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sstream>
#include <sys/wait.h>

#include "http_peer.hpp"
#include "served.hpp"

namespace slipway::web {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string slurp(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Program : public control::Served {
 protected:
  void start() {
    serve();
    const int listener = loopback_listener();  // a port that is free now; nobody else gets it before it is bound again
    port_ = port_of(listener);
    close(listener);
    const std::string config = directory_ + "/slipway.yaml";
    std::ofstream(config) << "control: {socket: " << options_.path << "}\n"
                          << "database: {backend: postgres, postgres: {password: very-secret}}\n"
                          << "http: {listen: \"127.0.0.1:" << port_ << "\", user: nobody}\n";
    pid_ = fork();
    if (pid_ == 0) {
      setenv("VERY_SECRET", "very-secret", 1);
      execl(SLIPWAY_WEB, "slipway-web", "--config", config.c_str(), nullptr);
      _exit(127);
    }
    ASSERT_TRUE(eventually([this] { return HttpPeer(port_).connected(); }));
  }

  ~Program() override {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_EQ(status, 0);
  }

  [[nodiscard]] std::string proc(const char* file) const { return slurp("/proc/" + std::to_string(pid_) + "/" + file); }

  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

TEST_F(Program, ServesWithoutRightsAndSecrets) {
  start();
  EXPECT_THAT(HttpPeer::ask(port_, "GET", "/status"), HasSubstr("\"name\":\"web[1]\""));
  EXPECT_THAT(proc("environ"), IsEmpty());
  EXPECT_THAT(proc("cmdline"), Not(HasSubstr("slipway.yaml")));
  const std::string status = proc("status");
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
  if (geteuid() != 0) return;
  EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("Gid:\t65534\t65534\t65534\t65534"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000"));
}

TEST_F(Program, EndsWithSlipway) {
  start();
  EXPECT_THAT(HttpPeer::ask(port_, "GET", "/livez"), HasSubstr("ok"));
  stop();
  int status = 0;
  ASSERT_EQ(waitpid(pid_, &status, 0), pid_);
  EXPECT_EQ(WEXITSTATUS(status), 69);
  pid_ = -1;
}

TEST(ProgramAlone, SaysWhatIsMissing) {
  const std::string command = std::string(SLIPWAY_WEB) + " --serve </dev/null 3>&- 4>&- 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 64);
}

}  // namespace
}  // namespace slipway::web
