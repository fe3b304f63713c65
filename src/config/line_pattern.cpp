#include "config/line_pattern.hpp"

#include <algorithm>
#include <re2/re2.h>
#include <re2/stringpiece.h>
#include <utility>

namespace slipway::config {
namespace {

/// RE2 gives up its cache, not the match, when this is not enough.
constexpr std::int64_t kMemory = 1 << 20;
constexpr std::size_t kLongestPattern = 4096;

RE2::Options options() {
  RE2::Options result;
  result.set_encoding(RE2::Options::EncodingLatin1);
  result.set_log_errors(false);
  result.set_max_mem(kMemory);
  return result;
}

}  // namespace

struct LinePattern::Impl {
  explicit Impl(const std::string& text) : pattern(text, options()) {}
  RE2 pattern;
};

LinePattern::LinePattern(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LinePattern::LinePattern(LinePattern&&) noexcept = default;
LinePattern& LinePattern::operator=(LinePattern&&) noexcept = default;
LinePattern::~LinePattern() = default;

tl::expected<LinePattern, std::string> LinePattern::compile(const std::string& text) {
  if (text.empty()) return tl::unexpected(std::string("expected a regular expression, got nothing"));
  if (text.size() > kLongestPattern) return tl::unexpected(std::string("is longer than 4096 bytes"));
  auto impl = std::make_unique<Impl>(text);
  if (!impl->pattern.ok()) return tl::unexpected("expected a regular expression (RE2): " + impl->pattern.error());
  return LinePattern(std::move(impl));
}

bool LinePattern::matches(std::string_view line) const {
  const std::size_t looked_at = std::min(line.size(), kLineLimit);
  // RE2's own view: newer releases have one that is not std::string_view.
  return RE2::PartialMatch(re2::StringPiece(line.data(), looked_at), impl_->pattern);
}

}  // namespace slipway::config
