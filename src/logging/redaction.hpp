#pragma once
// Takes secrets out of text before it is printed.

#include <string>
#include <string_view>
#include <vector>

namespace slipway::logging {

class Redaction {
 public:
  Redaction() = default;
  /// Each secret is also looked for percent-encoded (both cases of the hex digits).
  explicit Redaction(const std::vector<std::string>& secrets);
  [[nodiscard]] bool empty() const { return needles_.empty(); }
  [[nodiscard]] std::string apply(std::string_view text) const;

 private:
  std::vector<std::string> needles_;  ///< longest first
};

}  // namespace slipway::logging
