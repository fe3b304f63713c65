#pragma once
// One output stream of a child: passed on by whole lines, its beginning and its last lines kept.

#include <deque>
#include <string>
#include <string_view>

namespace slipway::database {

class LineRelay {
 public:
  /// `target` is the descriptor to pass lines on to; -1 keeps them only.
  explicit LineRelay(int target) : target_(target) {}

  void feed(std::string_view bytes);
  /// Passes on a last line that has no newline.
  void finish();
  [[nodiscard]] const std::string& beginning() const { return beginning_; }
  [[nodiscard]] const std::deque<std::string>& last_lines() const { return last_lines_; }

 private:
  void pass_on(std::string_view bytes) const;
  void take_line(std::string_view line);
  int target_;
  std::string pending_;
  std::string beginning_;
  std::deque<std::string> last_lines_;
};

}  // namespace slipway::database
