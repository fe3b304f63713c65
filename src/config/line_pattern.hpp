#pragma once
// A regular expression that lines of a worker's output are held against. What a worker prints is not trusted: the match
// takes time linear in the line, bounded memory and no recursion (RE2), and only the beginning of a line is looked at.

#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace slipway::config {

class LinePattern {
 public:
  /// How much of a line counts.
  static constexpr std::size_t kLineLimit = 4096;

  /// Errors: what is wrong with the expression, in words. `text` is taken as bytes, not as characters.
  [[nodiscard]] static tl::expected<LinePattern, std::string> compile(const std::string& text);
  LinePattern(LinePattern&&) noexcept;
  LinePattern& operator=(LinePattern&&) noexcept;
  ~LinePattern();

  /// The expression occurs somewhere in the line's first kLineLimit bytes.
  [[nodiscard]] bool matches(std::string_view line) const;

 private:
  struct Impl;
  explicit LinePattern(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::config
