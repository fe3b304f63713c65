#pragma once
// A value that must never be printed. It has no stream operator and no implicit conversion on purpose: every place
// that really needs the text says reveal(), which is easy to search for and to review.

#include <string>
#include <utility>

namespace slipway::config {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  /// The plain text, for the one place that uses it: a connection, a child's environment, a 0600 file.
  [[nodiscard]] const std::string& reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

}  // namespace slipway::config
