#pragma once
// From the text of one scalar to its typed value, by the rules of its key. Pure.

#include <string>
#include <tl/expected.hpp>

#include "config/loading/binder.hpp"

namespace slipway::config {

/// "a whole number", "true or false", ...: what the key expects, for messages.
[[nodiscard]] std::string expectation(const Type& type, Kind kind);

/// The text in quotes, shortened, with control characters escaped; "a secret" when it must not be shown.
[[nodiscard]] std::string shown(const ScalarText& scalar);

/// Errors read "expected ..., got ...".
[[nodiscard]] tl::expected<Value, std::string> parse_scalar(const ScalarText& scalar, const Type& type, Kind kind,
                                                            const Rules& rules);

/// The candidate that was probably meant: a few edits away, or with the other one as its beginning. Empty: none.
[[nodiscard]] std::string closest(std::string_view wrong, const std::vector<std::string_view>& candidates);

/// "; did you mean 'x'?", or nothing.
[[nodiscard]] std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& candidates);

}  // namespace slipway::config
