#include "programs/slipway/terminal.hpp"

#include <gtest/gtest.h>

namespace slipway::program {
namespace {

TEST(Terminal, PaintsOnlyWhereColoursAreWanted) {
  EXPECT_EQ(Terminal{}.paint(Ink::kRed, "x"), "x");
  EXPECT_EQ((Terminal{true, 80}.paint(Ink::kRed, "x")), "\033[31mx\033[0m");
}

TEST(Printable, LeavesNothingATerminalObeys) {
  EXPECT_EQ(printable("a\033[2Jb\r\nc\x7f"), "a [2Jb  c ");
  EXPECT_EQ(printable("h\xC3\xA9"), "h\xC3\xA9");
}

TEST(Shortened, CountsCharactersNotBytes) {
  EXPECT_EQ(shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 3), "\xC3\xA9\xC3\xA9\xC3\xA9");
  EXPECT_EQ(shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\u2026");
  EXPECT_EQ(shortened("abcdef", 4), "abc\u2026");
}

TEST(Brief, SaysWhatAPersonWantsToKnow) {
  using std::chrono::seconds;
  EXPECT_EQ(brief(std::chrono::milliseconds(999)), "0s");
  EXPECT_EQ(brief(seconds(59)), "59s");
  EXPECT_EQ(brief(seconds(192)), "3m12s");
  EXPECT_EQ(brief(seconds(3600 * 5 + 180)), "5h03m");
  EXPECT_EQ(brief(seconds(86400 * 4 + 3600 * 7)), "4d07h");
  EXPECT_EQ(brief(seconds(-5)), "0s");
}

TEST(Table, AlignsAndLeavesNoTrailingBlanks) {
  Table table;
  table.add({{"A"}, {"LONG"}, {"C"}});
  table.add({{"wide"}, {"x"}, {""}});
  table.add({{""}, {""}, {"end"}});
  EXPECT_EQ(table.render(Terminal{}), "A     LONG  C\nwide  x\n            end\n");
}

TEST(Table, CutsTheLastColumnOnANarrowTerminal) {
  Table table;
  table.add({{"A"}, {"NOTE"}});
  table.add({{"a"}, {"a very long note"}});
  EXPECT_EQ(table.render(Terminal{false, 10}), "A  NOTE\na  a very\u2026\n");
}

}  // namespace
}  // namespace slipway::program
