#pragma once
// Which keys differ between two configurations: from the tables of the schema, so that a new key takes part by itself.

#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace slipway::config {

/// The names of the keys whose values differ, in the order of the table.
[[nodiscard]] std::vector<std::string> changed_keys(const Worker& left, const Worker& right);
/// The names of the top level's sections that differ.
[[nodiscard]] std::vector<std::string> changed_sections(const Configuration& left, const Configuration& right);

}  // namespace slipway::config
