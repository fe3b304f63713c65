#include "config/line_pattern.hpp"

#include <chrono>
#include <gtest/gtest.h>

namespace slipway::config {
namespace {

LinePattern pattern(const std::string& text) { return std::move(LinePattern::compile(text).value()); }

TEST(LinePattern, IsFoundAnywhereInALine) {
  EXPECT_TRUE(pattern("listening on .*:[0-9]+").matches("[7] now listening on 0.0.0.0:8000 (tcp)"));
  EXPECT_FALSE(pattern("^listening").matches("now listening"));
  EXPECT_TRUE(pattern("(?i)READY$").matches("it is ready"));
}

TEST(LinePattern, TakesBytesThatAreNoText) {
  EXPECT_TRUE(
      pattern("a.b").matches("a\xff"
                             "b"));
  EXPECT_TRUE(pattern("bereit: \u00fc").matches("bereit: \u00fc"));
  EXPECT_TRUE(pattern("up").matches(std::string_view("\0\0up", 4)));
}

TEST(LinePattern, LooksAtTheFirstFourKibibytes) {
  const std::string filler(LinePattern::kLineLimit - 2, 'x');
  EXPECT_TRUE(pattern("up").matches(filler + "up"));
  EXPECT_FALSE(pattern("up").matches(filler + "xup"));
}

TEST(LinePattern, RefusesWhatIsNoExpression) {
  for (const char* text : {"", "(", "[a", "a{2,1}", "(a)\\1", "a(?=b)", "*"}) {
    EXPECT_FALSE(LinePattern::compile(text)) << text;
  }
  EXPECT_FALSE(LinePattern::compile(std::string(4097, 'a')));
}

/// What makes a backtracking engine take ages, and a recursive one overflow the stack.
TEST(LinePattern, TakesNoLongerForHostileLines) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string line(1 << 20, 'a');
  for (const char* text : {"(a+)+$b", "(a|a)*b", "(a|aa)+$b", "(.*)*b", "(x+x+)+y", "((a{1,30}){1,30}b)"}) {
    EXPECT_FALSE(pattern(text).matches(line)) << text;
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

}  // namespace
}  // namespace slipway::config
