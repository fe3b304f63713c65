#pragma once
// SHA-256 (FIPS 180-4), for naming a configuration's text. Pure.

#include <string>
#include <string_view>

namespace slipway::config {

/// 64 hexadecimal digits, lower case.
[[nodiscard]] std::string sha256(std::string_view text);

}  // namespace slipway::config
