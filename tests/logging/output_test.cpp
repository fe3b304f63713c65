#include "logging/output.hpp"

#include <chrono>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "logging_fixture.hpp"

namespace slipway::logging {
namespace {

class Writing : public LoggingTest {
 protected:
  /// Lines until the buffer is full.
  std::size_t fill(Output& to) {
    const std::string line(999, 'x');
    std::size_t lines = 0;
    for (; !to.full() && lines < 100000; ++lines) to.write_line(line + "\n");
    return lines;
  }
};

TEST_F(Writing, ReachesTheReaderAtOnce) {
  output->write_line("one\n");
  output->write_line("two\n");
  EXPECT_EQ(read_all(), "one\ntwo\n");
  EXPECT_EQ(output->buffered(), 0U);
}

TEST_F(Writing, NeverChangesTheSharedDescription) {
  fill(*output);
  EXPECT_EQ(::fcntl(write_end, F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(Writing, NeverBlocksOnAStuckReaderAndCountsWhatItDrops) {
  std::uint64_t dropped = 0;
  int drains = 0;
  output->on_dropped([&](std::uint64_t lines) { dropped += lines; });
  output->on_drain([&] { ++drains; });
  const std::size_t lines = fill(*output);
  ASSERT_TRUE(output->full());
  for (int i = 0; i < 7; ++i) output->write_line("dropped\n");
  EXPECT_LE(output->buffered(), Output::kCapacity + 1000);
  poll();
  EXPECT_EQ(drains, 0);
  std::string text;
  ASSERT_TRUE(run_until([&] {
    text += read_all();
    return output->buffered() == 0;
  }));
  text += read_all();
  EXPECT_EQ(text.size(), lines * 1000);
  EXPECT_EQ(dropped, 7U);
  EXPECT_EQ(drains, 1);
  EXPECT_FALSE(output->full());
  output->write_line("again\n");
  EXPECT_EQ(read_all(), "again\n");
}

TEST_F(Writing, DiscardsWhenTheReaderIsGone) {
  ::close(read_end);
  read_end = -1;
  for (int i = 0; i < 3000; ++i) output->write_line(std::string(1000, 'x') + "\n");
  EXPECT_TRUE(output->broken());
  EXPECT_FALSE(output->full());
}

TEST_F(Writing, EndsALineThatSomebodyLeftOpen) {
  char half[] = "half";
  const iovec piece{half, 4};
  output->write(&piece, 1);
  EXPECT_FALSE(output->at_line_start());
  output->write_line("own\n");
  EXPECT_EQ(read_all(), "half\nown\n");
}

TEST_F(Writing, WritesToAStuckSocketWithoutBlocking) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  {
    Output socket(context, ends[0]);
    fill(socket);
    EXPECT_TRUE(socket.full());
    EXPECT_EQ(::fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0);
    ::close(ends[1]);
    poll();
    socket.write_line("x\n");
    EXPECT_TRUE(run_until([&] { return socket.broken(); }));
  }
  ::close(ends[0]);
}

TEST_F(Writing, SurvivesAFullDiskAndAClosedDescriptor) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Output to_full(context, full);
  to_full.write_line("lost\n");
  EXPECT_EQ(to_full.buffered(), 0U);
  EXPECT_FALSE(to_full.broken());
  ::close(full);
  Output closed(context, 999);
  closed.write_line("lost\n");
  EXPECT_TRUE(closed.broken());
}

TEST_F(Writing, FlushesForABoundedTime) {
  fill(*output);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_GT(output->flush(50), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

}  // namespace
}  // namespace slipway::logging
