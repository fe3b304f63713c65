#include "logging_fixture.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace slipway::logging {

LoggingTest::LoggingTest() {
  ::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  read_end = ends[0];
  write_end = ends[1];
  ::fcntl(read_end, F_SETFL, O_NONBLOCK);
  output = std::make_unique<Output>(context, write_end);
}

LoggingTest::~LoggingTest() {
  output.reset();
  if (read_end >= 0) ::close(read_end);
  if (write_end >= 0) ::close(write_end);
}

bool LoggingTest::run_until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    context.restart();
    context.run_one_for(std::chrono::milliseconds(20));
  }
  return true;
}

void LoggingTest::poll() {
  context.restart();
  while (context.poll_one() > 0) {
  }
}

std::string LoggingTest::read_all() {
  std::string text;
  char buffer[65536];
  for (;;) {
    poll();
    const ssize_t bytes = ::read(read_end, buffer, sizeof buffer);
    if (bytes <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(bytes));
  }
}

config::Logging LoggingTest::settings(config::LogFormat format, bool timestamps) {
  config::Logging logging;
  logging.format = format;
  logging.timestamps = timestamps;
  return logging;
}

}  // namespace slipway::logging
