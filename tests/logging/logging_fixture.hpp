#pragma once
// An output into a pipe (or a file) that the test reads, and a loop.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "config/configuration.hpp"
#include "logging/output.hpp"

namespace slipway::logging {

class LoggingTest : public testing::Test {
 protected:
  LoggingTest();
  ~LoggingTest() override;

  /// Runs the loop until the condition holds; false when it does not within 20 s.
  bool run_until(const std::function<bool()>& condition);
  void poll();
  /// What has arrived at the reader's end, without waiting; runs the loop in between.
  std::string read_all();
  /// Ends the output so that read_all sees everything.
  static config::Logging settings(config::LogFormat format = config::LogFormat::kText, bool timestamps = false);

  boost::asio::io_context context;
  int read_end = -1;
  int write_end = -1;
  std::unique_ptr<Output> output;
};

}  // namespace slipway::logging
