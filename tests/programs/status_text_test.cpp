#include "programs/slipway/status_text.hpp"

#include <gtest/gtest.h>

#include "fake_handler.hpp"

namespace slipway::program {
namespace {

control::Snapshot example() {
  control::Snapshot snapshot;
  snapshot.container.name = "integramon";
  snapshot.container.state = control::ContainerState::kDegraded;
  snapshot.container.migrated = true;
  snapshot.container.uptime = std::chrono::seconds(192);
  snapshot.container.config_source = "/etc/slipway/slipway.yaml";
  snapshot.units = {control::make_unit("migrate", "exited", "oneshot"), control::make_unit("web[0]", "ready"),
                    control::make_unit("web[1]", "backoff"), control::make_unit("cache", "inactive")};
  snapshot.units[0].last_exit = control::LastExit{"exit 0", 0};
  snapshot.units[1].pid = 4711;
  snapshot.units[1].since = std::chrono::seconds(180);
  snapshot.units[2].restarts = 3;
  snapshot.units[2].last_exit = control::LastExit{"killed by SIGKILL", 137};
  snapshot.units[2].reason = "starts again in 400ms\033[2J";
  snapshot.units[3].enabled = false;
  return snapshot;
}

TEST(StatusText, IsAlignedAndPlainInAPipe) {
  EXPECT_EQ(status_text(example(), Terminal{}),
            "integramon: degraded, migrated, up 3m12s, /etc/slipway/slipway.yaml\n"
            "\n"
            "UNIT     KIND     STATE     PID   FOR    RESTARTS  LAST EXIT          NOTE\n"
            "migrate  oneshot  exited    -     0s     0         exit 0\n"
            "web[0]   service  ready     4711  3m00s  0         -\n"
            "web[1]   service  backoff   -     0s     3         killed by SIGKILL  starts again in 400ms [2J\n"
            "cache    service  inactive  -     0s     0         -                  disabled\n");
}

TEST(StatusText, UsesColourOnATerminal) {
  const std::string text = status_text(example(), Terminal{true, 0});
  EXPECT_NE(text.find("\033[31mdegraded\033[0m"), std::string::npos);
  EXPECT_NE(text.find("\033[32mready\033[0m"), std::string::npos);
}

TEST(StatusText, ShowsWhatAUnitSaysOfItself) {
  control::Snapshot snapshot = example();
  snapshot.units[1].status = "Serving\033[2J";
  EXPECT_NE(status_text(snapshot, Terminal{}).find("  Serving [2J\n"), std::string::npos)
      << status_text(snapshot, Terminal{});
  snapshot.units[1].reloading = true;
  EXPECT_NE(status_text(snapshot, Terminal{}).find("reloading: Serving"), std::string::npos);
}

TEST(StatusText, FitsTheTerminal) {
  const std::string text = status_text(example(), Terminal{false, 85});
  EXPECT_NE(text.find("starts again i\u2026"), std::string::npos) << text;
}

}  // namespace
}  // namespace slipway::program
