#pragma once
// Finding and reading the configuration's text, in the documented order.

#include "config/document/node.hpp"

namespace slipway::config {

struct ConfigurationText {
  std::string source;  ///< absolute path, or the variable's name; empty: none was found
  std::string text;
  int file = 0;
  bool json = false;  ///< strict JSON, by the file's name
};

/// Reports what cannot be read; `source` is empty when there is no configuration anywhere.
[[nodiscard]] ConfigurationText find_configuration(const LoadRequest& request, Problems& problems);

/// The document of that text; an empty map when there is none.
[[nodiscard]] Node read_document(ConfigurationText& text, Problems& problems);

}  // namespace slipway::config
