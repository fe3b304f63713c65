// Where a unit's lines go and how: formats per unit, files, and what happens when nobody reads.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>
#include <unistd.h>

#include "logging/capture.hpp"
#include "logging/escape.hpp"
#include "logging/log_file.hpp"
#include "logging_fixture.hpp"

namespace slipway::logging {
namespace {

using config::OnFull;
using config::WorkerLogFormat;
using testing::HasSubstr;

class Routes : public LoggingTest {
 protected:
  Routes() {
    capture = std::make_unique<Capture>(context, *output, ring, settings());
    capture->on_lost(
        [this](Source unit, std::uint64_t lines, std::uint64_t bytes) { lost.push_back({unit, lines, bytes}); });
  }
  static void put(int fd, std::string_view text) {
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void fill() {
    while (!output->full()) output->write_line(std::string(999, '#') + "\n");
  }

  struct Lost {
    Source unit{};
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
  };
  Ring ring{{"web", "db"}};
  Source web{1};
  Source db{2};
  std::unique_ptr<Capture> capture;
  std::vector<Lost> lost;
};

TEST_F(Routes, GiveEachUnitItsFormat) {
  capture->route(web, {WorkerLogFormat::kRaw, OnFull::kBlock, nullptr});
  capture->route(db, {WorkerLogFormat::kJson, OnFull::kBlock, nullptr});
  const auto one = capture->open(web);
  const auto two = capture->open(db);
  EXPECT_EQ(one.out, one.error);
  EXPECT_NE(two.out, two.error);
  put(one.out, std::string_view("\x01raw\0\xff\n", 7));
  EXPECT_EQ(read_all(), std::string("\x01raw\0\xff\n", 7));
  put(two.error, "say\n");
  EXPECT_THAT(read_all(), HasSubstr(R"("unit":"db","event":"output","stream":"stderr","msg":"say"})"));
  Capture::close(one);
  Capture::close(two);
}

TEST_F(Routes, KeepTheLastBytesOfARawUnitAsTheyAre) {
  capture->route(web, {WorkerLogFormat::kRaw, OnFull::kBlock, nullptr});
  const auto ends = capture->open(web);
  put(ends.out, "no newline");
  Capture::close(ends);
  EXPECT_EQ(read_all(), "no newline");
  output->write_line("own\n");
  EXPECT_EQ(read_all(), "\nown\n");
}

TEST_F(Routes, LeadToAFileAndItsNextOne) {
  const std::string path = testing::TempDir() + "slipway-route-" + std::to_string(::getpid()) + "/web.log";
  int rotations = 0;
  {
    LogFile file({path, 50, {}, {}}, {[&] { ++rotations; }, {}, {}});
    capture->route(web, {{}, OnFull::kBlock, &file});
    const auto ends = capture->open(web);
    put(ends.out, "0123456789\n0123456789\n0123456789\n0123456789\n");
    put(ends.out, "last words");
    EXPECT_EQ(read_all(), "");
    capture->drain(web);
    Capture::close(ends);
    capture.reset();
  }
  std::ifstream stream(path);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_EQ(rotations, 2);
  EXPECT_EQ(text.str(), "web | last words\n");
  std::filesystem::remove_all(std::filesystem::path(path).parent_path());
}

TEST_F(Routes, DropAndCountLinesThatNobodyReadsAndNeverBlockTheirWriter) {
  capture->route(web, {{}, OnFull::kDrop, nullptr});
  const auto ends = capture->open(web);
  fill();
  for (int i = 0; i < 500; ++i) {
    put(ends.out, std::string(9999, 'x') + "\n");
    poll();
  }
  EXPECT_LE(output->buffered(), Output::kCapacity + 1000);
  EXPECT_EQ(ring.last(1, {web}).size(), 1U);
  EXPECT_TRUE(lost.empty());
  std::string text;
  ASSERT_TRUE(run_until([&] {
    text += read_all();
    return !lost.empty();
  }));
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].unit, web);
  EXPECT_EQ(lost[0].lines, 500U);
  EXPECT_EQ(lost[0].bytes, 500U * 10000);
  put(ends.out, "again\n");
  text += read_all();
  EXPECT_TRUE(text.ends_with("#\nweb | again\n"));
  EXPECT_EQ(text.find('x'), std::string::npos);
  Capture::close(ends);
}

TEST_F(Routes, StayBoundedWhenAUnitThatDropsGetsAnotherRouteWhileItRuns) {
  capture->route(web, {{}, OnFull::kDrop, nullptr});
  const auto ends = capture->open(web);
  fill();
  capture->route(web, {{}, OnFull::kBlock, nullptr});
  for (int i = 0; i < 500; ++i) {
    put(ends.out, std::string(9999, 'x') + "\n");
    poll();
  }
  EXPECT_LE(output->buffered(), Output::kCapacity + 1000);
  Capture::close(ends);
}

TEST_F(Routes, BlockOneUnitAndNotTheOtherThatDrops) {
  capture->route(web, {{}, OnFull::kDrop, nullptr});
  const auto drops = capture->open(web);
  const auto blocks = capture->open(db);
  fill();
  put(drops.out, "gone\n");
  put(blocks.out, "kept\n");
  poll();
  EXPECT_EQ(ring.last(9, {web}).size(), 1U);
  EXPECT_EQ(ring.last(9, {db}).size(), 0U);
  std::string text;
  EXPECT_TRUE(run_until([&] {
    text += read_all();
    return text.find("db | kept\n") != std::string::npos;
  }));
  EXPECT_EQ(text.find("gone"), std::string::npos);
  Capture::close(drops);
  Capture::close(blocks);
}

TEST_F(Routes, MarkThePiecesOfALongLineInJsonAndCutNoCharacter) {
  capture->route(web, {WorkerLogFormat::kJson, OnFull::kBlock, nullptr});
  const auto ends = capture->open(web);
  std::string text;
  for (int i = 0; i < 5; ++i) {
    std::string part;
    while (part.size() < 50000) part += "x\xE2\x82\xAC";
    put(ends.out, part);
    text += read_all();
  }
  put(ends.out, "\n");
  text += read_all();
  EXPECT_EQ(text.find("\xEF\xBF\xBD"), std::string::npos);
  std::size_t partial = 0;
  for (std::size_t at = 0; (at = text.find(R"(","partial":true})", at)) != std::string::npos; ++at) ++partial;
  EXPECT_EQ(partial, 3U);
  EXPECT_TRUE(text.ends_with("\"}\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\xAC'), 5 * 12500);
  Capture::close(ends);
}

TEST_F(Routes, PassAHundredMegabytesWithoutANewlineInBoundedMemory) {
  const auto ends = capture->open(web);
  ::fcntl(ends.out, F_SETFL, O_NONBLOCK);
  const std::string piece(1 << 16, 'x');
  std::size_t written = 0;
  std::size_t read = 0;
  std::string begin;
  while (written < 100U << 20U) {
    const ssize_t bytes = ::write(ends.out, piece.data(), piece.size());
    if (bytes > 0) written += static_cast<std::size_t>(bytes);
    const std::string text = read_all();
    if (begin.empty()) begin = text.substr(0, 8);
    read += text.size();
    ASSERT_LE(output->buffered(), Output::kCapacity + (1 << 18));
  }
  put(ends.out, "\n");
  const std::string end = read_all();
  EXPECT_EQ(begin, "web | xx");
  EXPECT_EQ(read + end.size(), written + 1 + 6);
  Capture::close(ends);
}

TEST(Characters, AreNeverCutInHalf) {
  EXPECT_EQ(whole_characters("abc"), 3U);
  EXPECT_EQ(whole_characters("ab\xC3"), 2U);
  EXPECT_EQ(whole_characters("ab\xC3\xA9"), 4U);
  EXPECT_EQ(whole_characters("ab\xE2\x82"), 2U);
  EXPECT_EQ(whole_characters("\xF0\x9F\x98"), 0U);
  EXPECT_EQ(whole_characters("a\x80\x80\x80\x80"), 5U);
  EXPECT_EQ(whole_characters("a\xFF"), 2U);
  EXPECT_EQ(whole_characters(""), 0U);
}

}  // namespace
}  // namespace slipway::logging
