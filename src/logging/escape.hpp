#pragma once
// Text of unknown origin made safe for one line of a log.

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::logging {

/// Control characters (C0, DEL, C1 in UTF-8) become \n, \t, \x1b...; everything else keeps its bytes.
void append_escaped(std::string& out, std::string_view text);
/// A JSON string's inside: quotes, backslashes and control characters escaped, invalid UTF-8 replaced by U+FFFD.
void append_json(std::string& out, std::string_view text);

/// How much of a text that was cut at its end consists of whole UTF-8 sequences: all of it, or up to three bytes less.
[[nodiscard]] std::size_t whole_characters(std::string_view text);

}  // namespace slipway::logging
