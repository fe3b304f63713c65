#pragma once
// A loop with a child table, for tests against real processes. On destruction it proves that the test left nothing: no
// child, no zombie, the same open descriptors, no temporary file.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "host/child_table.hpp"
#include "host/launcher.hpp"
#include "host/signals.hpp"

namespace slipway::host {

class HostTest : public testing::Test {
 protected:
  HostTest();
  ~HostTest() override;

  /// Runs the loop until the condition holds; false when it does not within 20 s.
  bool run_until(const std::function<bool()>& condition);

  /// `/bin/sh -c script` with a plain environment and standard streams on /dev/null.
  static Launch shell(const std::string& script);

  /// Starts and waits for the exit; what it wrote to standard output and error is in `output`.
  ChildExit run(Launch launch);

  /// Starts with an exit handler that stores into `exits`.
  int start(const Launch& launch);

  /// An empty directory of this test's own.
  std::string directory();
  std::string write_file(const std::string& name, const std::string& content, int mode = 0644);

  boost::asio::io_context context;
  std::unique_ptr<ChildTable> children;
  std::unique_ptr<Launcher> launcher;
  std::vector<ChildExit> exits;
  std::string output;
  std::unique_ptr<Signals> signals;

 private:
  static std::set<int> open_descriptors();

  std::set<int> descriptors_before_;
  std::filesystem::path directory_;
};

}  // namespace slipway::host
