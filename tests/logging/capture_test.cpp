#include "logging/capture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "logging/ring.hpp"
#include "logging_fixture.hpp"

namespace slipway::logging {
namespace {

using config::LogFormat;
using testing::HasSubstr;

class Capturing : public LoggingTest {
 protected:
  void make(LogFormat format = LogFormat::kText) {
    capture = std::make_unique<Capture>(context, *output, ring, settings(format));
    web = ring.add("web");
    db = ring.add("db");
  }
  static void put(int fd, std::string_view text) {
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Ring ring;
  std::unique_ptr<Capture> capture;
  Source web{};
  Source db{};
};

TEST_F(Capturing, PrefixesEachLineAndKeepsItsBytes) {
  make();
  const auto ends = capture->open(web);
  ASSERT_TRUE(ends.ok());
  put(ends.out, std::string_view("one\n\n\xff\0 tab\t\r\nthree\n", 20));
  EXPECT_EQ(read_all(), std::string("web | one\nweb | \nweb | \xff\0 tab\t\r\nweb | three\n", 44));
  Capture::close(ends);
}

TEST_F(Capturing, HoldsAnUnfinishedLineUntilItEndsOrTheProcessDoes) {
  make();
  const auto ends = capture->open(web);
  put(ends.out, "hal");
  EXPECT_EQ(read_all(), "");
  put(ends.error, "f\nlast words");
  EXPECT_EQ(read_all(), "web | half\n");
  capture->drain(web);
  EXPECT_EQ(read_all(), "web | last words\n");
  Capture::close(ends);
  poll();
  EXPECT_EQ(read_all(), "");
}

TEST_F(Capturing, EndsAnUnfinishedLineAtEndOfFile) {
  make();
  const auto ends = capture->open(web);
  put(ends.out, "no newline");
  Capture::close(ends);
  EXPECT_EQ(read_all(), "web | no newline\n");
}

TEST_F(Capturing, DoesNotWaitForALeftoverThatHoldsThePipe) {
  make();
  const auto first = capture->open(web);
  put(first.out, "from the process\n");
  capture->drain(web);
  EXPECT_EQ(read_all(), "web | from the process\n");
  put(first.out, "from a grandchild\n");
  EXPECT_EQ(read_all(), "web | from a grandchild\n");
  const auto second = capture->open(web);
  EXPECT_EQ(::write(first.out, "x", 1), -1);  // closed: the unit has started again
  put(second.out, "new\n");
  EXPECT_EQ(read_all(), "web | new\n");
  Capture::close(first);
  Capture::close(second);
}

TEST_F(Capturing, PassesAHugeLineInPiecesWithoutLosingAByte) {
  make();
  const auto ends = capture->open(web);
  std::string text;
  const std::string piece(60000, 'x');
  for (int i = 0; i < 20; ++i) {
    put(ends.out, piece);
    text += read_all();
  }
  put(ends.out, "\nnext\n");
  text += read_all();
  EXPECT_EQ(text.size(), std::string("web | ").size() * 2 + 1200000 + 1 + 5);
  EXPECT_TRUE(text.ends_with("x\nweb | next\n"));
  Capture::close(ends);
}

TEST_F(Capturing, KeepsUnitsApartInTheMiddleOfAHugeLine) {
  make();
  const auto one = capture->open(web);
  const auto two = capture->open(db);
  std::string text;
  for (int i = 0; i < 3; ++i) {
    put(one.out, std::string(50000, 'a'));
    text += read_all();
  }
  put(two.out, "other\n");
  text += read_all();
  put(one.out, std::string(50000, 'a') + "\n");
  text += read_all();
  EXPECT_THAT(text, HasSubstr("a\ndb | other\nweb | a"));
  EXPECT_EQ(std::count(text.begin(), text.end(), 'a'), 200000);
  Capture::close(one);
  Capture::close(two);
}

TEST_F(Capturing, StopsReadingWhileTheOutputIsFull) {
  make();
  const auto ends = capture->open(web);
  ::fcntl(ends.out, F_SETFL, O_NONBLOCK);
  const std::string line = std::string(999, 'x') + "\n";
  std::size_t written = 0;
  for (int stuck = 0; stuck < 3;) {
    const ssize_t bytes = ::write(ends.out, line.data(), line.size());
    if (bytes < 0) {
      ++stuck;
      poll();
    } else {
      ASSERT_EQ(bytes, 1000);
      stuck = 0;
      ++written;
    }
    ASSERT_LT(written, 10000U);
  }
  EXPECT_TRUE(output->full());
  std::string text;
  ASSERT_TRUE(run_until([&] {
    text += read_all();
    return text.size() >= written * 1006;
  }));
  EXPECT_EQ(text.size(), written * 1006);
  Capture::close(ends);
}

TEST_F(Capturing, KeepsLastWordsOfAnEarlierStartForAStuckReader) {
  make();
  while (!output->full()) output->write_line(std::string(999, 'x') + "\n");
  const auto first = capture->open(web);
  put(first.out, "last words");
  Capture::close(first);
  capture->drain(web);
  const auto second = capture->open(web);
  put(second.out, "new start\n");
  std::string text;
  EXPECT_TRUE(run_until([&] {
    text += read_all();
    return text.find("new start") != std::string::npos && text.find("last words\n") != std::string::npos;
  }));
  Capture::close(second);
}

TEST_F(Capturing, WrapsLinesInJson) {
  make(LogFormat::kJson);
  const auto ends = capture->open(web);
  EXPECT_NE(ends.out, ends.error);
  put(ends.out, "say \"hi\"\t\xff\n");
  put(ends.error, "oops");
  Capture::close(ends);
  const std::string text = read_all();
  EXPECT_THAT(text, HasSubstr("\"level\":\"info\",\"unit\":\"web\",\"event\":\"output\",\"stream\":\"stdout\",\"msg\":"
                              "\"say \\\"hi\\\"\\t\xEF\xBF\xBD\"}\n"));
  EXPECT_THAT(text, HasSubstr("\"stream\":\"stderr\",\"msg\":\"oops\"}\n"));
}

TEST_F(Capturing, ForgetsAPipeThatAChildBeforeItsExecStillHolds) {
  make();
  Capture::close(capture->open(db));
  poll();
  const int next = ::dup(STDERR_FILENO);  // the number that the reading end will get
  ::close(next);
  const auto ends = capture->open(web);
  const int held = ::dup(next);
  put(ends.out, "last\n");
  Capture::close(ends);
  context.restart();
  const auto turn = [&] { return context.poll_one(); };
  for (int turns = 0; turns < 10 && ::fcntl(next, F_GETFD) >= 0; ++turns) turn();
  EXPECT_EQ(::fcntl(next, F_GETFD), -1);
  for (int turns = 0; turns < 10; ++turns) turn();
  EXPECT_EQ(turn(), 0U) << "the closed pipe still wakes the loop";
  ::close(held);
  EXPECT_EQ(read_all(), "web | last\n");
}

TEST_F(Capturing, SaysWhenThereAreNoDescriptors) {
  make();
  Capture::close(capture->open(web));
  poll();
  struct rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const struct rlimit none{3, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const auto ends = capture->open(web);
  const int error = errno;
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(ends.ok());
  EXPECT_EQ(error, EMFILE);
  const auto later = capture->open(web);
  EXPECT_TRUE(later.ok());
  Capture::close(later);
}

TEST_F(Capturing, ShowsAnObserverEachCompleteLineUntilItHasSeenEnough) {
  make();
  std::vector<std::string> seen;
  capture->observe(web, [&](std::string_view line) {
    seen.emplace_back(line);
    return line != "ready";
  });
  const auto ends = capture->open(web);
  const auto other = capture->open(db);
  put(other.out, "of another unit\n");
  put(ends.out, "one\n\nrea");
  read_all();
  EXPECT_EQ(seen, (std::vector<std::string>{"one", ""}));
  put(ends.error, "dy\nlater\n");
  read_all();
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "", "ready"}));
  Capture::close(ends);
  Capture::close(other);
}

TEST_F(Capturing, ShowsAnObserverALongLineOnceAndNothingOfAnEndedProcess) {
  make();
  std::vector<std::size_t> seen;
  capture->observe(web, [&](std::string_view line) {
    seen.push_back(line.size());
    return true;
  });
  const auto ends = capture->open(web);
  for (int i = 0; i < 5; ++i) {
    put(ends.out, std::string(50000, 'x'));
    read_all();
  }
  put(ends.out, "\nnext\n");
  read_all();
  EXPECT_EQ(seen, (std::vector<std::size_t>{65536, 4}));
  capture->drain(web);
  put(ends.out, "of a leftover\n");
  read_all();
  EXPECT_EQ(seen.size(), 2U);
  Capture::close(ends);
}

TEST_F(Capturing, FeedsTheRing) {
  make();
  const auto ends = capture->open(web);
  put(ends.out, "one\ntwo\nthr");
  capture->drain(web);
  const auto records = ring.last(2, {web});
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].text, "two");
  EXPECT_EQ(records[1].text, "thr");
  Capture::close(ends);
}

}  // namespace
}  // namespace slipway::logging
