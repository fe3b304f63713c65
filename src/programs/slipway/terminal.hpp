#pragma once
// How output looks where it goes: colours and width on a terminal, plain text anywhere else.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::program {

enum class Ink { kPlain, kBold, kDim, kGreen, kYellow, kRed };

struct Terminal {
  bool colors = false;
  std::size_t width = 0;  ///< columns; 0: as long as it takes

  /// Asks the descriptor and the environment: NO_COLOR (no-color.org) and TERM=dumb mean no colours.
  [[nodiscard]] static Terminal of(int descriptor);
  [[nodiscard]] std::string paint(Ink ink, std::string_view text) const;
};

/// Without anything a terminal would obey: control characters become spaces.
[[nodiscard]] std::string printable(std::string_view text);
/// How many columns UTF-8 text takes, one per code point.
[[nodiscard]] std::size_t columns(std::string_view text);
/// At most `limit` columns, the last of them an ellipsis if something was cut.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t limit);
/// `12s`, `3m12s`, `5h03m`, `4d07h`: what a person wants to know.
[[nodiscard]] std::string brief(std::chrono::milliseconds duration);

struct Cell {
  std::string text;
  Ink ink = Ink::kPlain;
};

/// Aligned columns, the first row in bold as the heading; on a narrow terminal the last column is cut.
class Table {
 public:
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string render(const Terminal& terminal) const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace slipway::program
