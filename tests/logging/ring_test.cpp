#include "logging/ring.hpp"

#include <gtest/gtest.h>

namespace slipway::logging {
namespace {

using std::chrono::system_clock;

std::string number(int i) { return "line " + std::to_string(i); }

TEST(Ring, GivesTheLastLinesOfSeveralUnitsInOrder) {
  Ring ring;
  const Source a = ring.add("a");
  const Source b = ring.add("b");
  for (int i = 0; i < 10; ++i) ring.append({i % 2 ? a : b, Stream::kOut, system_clock::now(), number(i)});
  const auto both = ring.last(3, {a, b});
  ASSERT_EQ(both.size(), 3U);
  EXPECT_EQ(both[0].text, "line 7");
  EXPECT_EQ(both[2].text, "line 9");
  EXPECT_EQ(both[2].source, a);
  EXPECT_EQ(ring.last(100, {b}).size(), 5U);
  EXPECT_EQ(ring.last(100, {}).size(), 10U);
  EXPECT_TRUE(ring.last(0, {}).empty());
  EXPECT_EQ(ring.name(b), "b");
}

TEST(Ring, GivesASourceAnotherNameAndForgetsItsLines) {
  Ring ring;
  const Source a = ring.add("a");
  ring.append({a, Stream::kOut, system_clock::now(), "old"});
  ring.rename(a, "a[0]");
  EXPECT_EQ(ring.name(a), "a[0]");
  EXPECT_EQ(ring.last(10, {a}).size(), 1U);
  ring.clear(a);
  EXPECT_TRUE(ring.last(10, {a}).empty());
  ring.append({a, Stream::kOut, system_clock::now(), "new"});
  ASSERT_EQ(ring.last(10, {a}).size(), 1U);
  EXPECT_EQ(ring.last(10, {a})[0].text, "new");
}

TEST(Ring, ForgetsTheOldestWithinItsBounds) {
  Ring ring;
  const Source a = ring.add("a");
  for (int i = 0; i < 100000; ++i) ring.append({a, Stream::kError, system_clock::now(), number(i)});
  const auto lines = ring.last(1000000, {a});
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    bytes += lines[i].text.size();
    EXPECT_EQ(lines[i].text, number(static_cast<int>(100000 - lines.size() + i)));
  }
  EXPECT_LE(bytes, Ring::kUnitCapacity);
  EXPECT_GT(lines.size(), 500U);
  EXPECT_EQ(lines.back().stream, Stream::kError);
}

TEST(Ring, IsReadInBoundedPartsInTheOrderOfArrival) {
  Ring ring({"a", "b", "c"});
  const Source a{1};
  const Source b{2};
  for (int i = 0; i < 60; ++i) ring.append({i % 2 ? a : b, Stream::kOut, system_clock::now(), number(i)});
  ring.append({Source{3}, Stream::kOut, system_clock::now(), "not asked for"});
  std::uint64_t from = ring.begin_of_last(50, {a, b});
  const std::uint64_t to = ring.next();
  ring.append({a, Stream::kOut, system_clock::now(), "later"});
  std::vector<std::string> texts;
  int parts = 0;
  while (from < to) {
    for (const auto& record : ring.read(from, to, {a, b}, 200)) texts.push_back(record.text);
    ASSERT_LT(++parts, 60);
  }
  EXPECT_GT(parts, 5);
  ASSERT_EQ(texts.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(texts[static_cast<std::size_t>(i)], number(10 + i));
  EXPECT_EQ(ring.begin_of_last(0, {a}), ring.next());
}

TEST(Ring, AsksWhetherAFollowerWantsLines) {
  Ring ring({"a"});
  bool wanted = false;
  int seen = 0;
  ring.follow({}, [&](const Line&) { ++seen; }, [&] { return wanted; });
  ring.append({Source{1}, Stream::kOut, system_clock::now(), "1"});
  EXPECT_FALSE(ring.followed());
  wanted = true;
  EXPECT_TRUE(ring.followed());
  ring.append({Source{1}, Stream::kOut, system_clock::now(), "2"});
  EXPECT_EQ(seen, 1);
}

TEST(Ring, KeepsTheEndOfAHugeLine) {
  Ring ring;
  const Source a = ring.add("a");
  ring.append({a, Stream::kOut, system_clock::now(), std::string(200000, 'x') + "end"});
  ring.append({a, Stream::kOut, system_clock::now(), ""});
  const auto lines = ring.last(10, {a});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].text.size(), Ring::kUnitCapacity / 4);
  EXPECT_TRUE(lines[0].text.ends_with("end"));
  EXPECT_EQ(lines[1].text, "");
}

TEST(Ring, ShowsFollowersEachLineOnce) {
  Ring ring;
  const Source a = ring.add("a");
  const Source b = ring.add("b");
  std::string seen;
  const auto id = ring.follow({a}, [&](const Line& line) { seen += line.text; });
  ring.append({a, Stream::kOut, system_clock::now(), "1"});
  ring.append({b, Stream::kOut, system_clock::now(), "2"});
  ring.append({a, Stream::kOut, system_clock::now(), "3"});
  EXPECT_TRUE(ring.followed());
  ring.unfollow(id);
  ring.append({a, Stream::kOut, system_clock::now(), "4"});
  EXPECT_EQ(seen, "13");
  EXPECT_FALSE(ring.followed());
}

}  // namespace
}  // namespace slipway::logging
