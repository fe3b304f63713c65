#pragma once
// A real server on a real socket in a directory of its own, its loop on a thread; the destructor proves that neither a
// file nor a descriptor is left.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <dirent.h>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

#include "control/client.hpp"
#include "control/server.hpp"
#include "fake_handler.hpp"

namespace slipway::control {

inline std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

class Served : public ::testing::Test {
 protected:
  Served() : descriptors_before_(open_descriptors()) {
    char pattern[] = "/tmp/slipway-control-XXXXXX";
    directory_ = mkdtemp(pattern);
    options_.path = directory_ + "/run/control.sock";
    handler_.status.name = "app";
    handler_.units = {make_unit("migrate", "exited", "oneshot"), make_unit("web[0]", "running"),
                      make_unit("web[1]", "running"), make_unit("cache", "inactive")};
  }

  ~Served() override {
    stop();
    std::error_code ignored;
    EXPECT_FALSE(std::filesystem::exists(options_.path)) << "the socket was left behind";
    std::filesystem::remove_all(directory_, ignored);
    EXPECT_EQ(open_descriptors(), descriptors_before_);
  }

  void serve() {
    context_ = std::make_unique<boost::asio::io_context>(1);
    auto server = Server::listen(*context_, options_, handler_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] {
      const auto work = boost::asio::make_work_guard(*context_);
      context_->run();
    });
  }

  void stop() {
    if (!context_) return;
    on_loop([this] { server_.reset(); });
    context_->stop();
    thread_.join();
    context_.reset();
  }

  /// Runs on the server's thread and returns what it returned.
  template <typename Step>
  std::invoke_result_t<Step> on_loop(Step step) {
    std::packaged_task<std::invoke_result_t<Step>()> task(std::move(step));
    auto result = task.get_future();
    boost::asio::post(*context_, std::move(task));
    return result.get();
  }

  void change(std::size_t unit, const std::string& state, int pid = 0) {
    on_loop([&] {
      handler_.units[unit].state = state;
      handler_.units[unit].pid = pid;
      server_->notify_changed();
    });
  }

  /// Waits until `condition`, asked on the server's thread, holds.
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < give_up) {
      if (on_loop(condition)) return true;
      std::this_thread::yield();
    }
    return false;
  }

  Client connected() {
    auto client = Client::connect(options_.path);
    EXPECT_TRUE(client) << client.error().message;
    return std::move(*client);
  }

  static constexpr std::chrono::seconds kSoon{20};

  std::size_t descriptors_before_;
  std::string directory_;
  ServerOptions options_;
  FakeHandler handler_;
  std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace slipway::control
