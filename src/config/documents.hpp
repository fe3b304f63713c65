#pragma once
// What is derived from the schema for people and editors. Pure, and the same text for every call.

#include <string>

namespace slipway::config {

/// A JSON Schema (2020-12) of the configuration file, for `slipway schema`.
[[nodiscard]] std::string json_schema();

/// The reference of every key in Markdown, for docs/reference.
[[nodiscard]] std::string reference_markdown();

}  // namespace slipway::config
