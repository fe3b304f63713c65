#pragma once
// `${VAR}` in text, as in Compose, except that a `$` without a brace stays as it is. Pure.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "config/configuration.hpp"

namespace slipway::config {

struct Interpolated {
  std::string text;
  bool used_variable = false;  ///< at least one `${...}` was replaced
  bool used_secret = false;    ///< ... whose variable's name looks secret
};

struct InterpolationProblem {
  std::size_t offset = 0;  ///< of the `${` at fault, in bytes
  std::string message;
};

/// `${VAR}`, `${VAR:-default}`, `${VAR-default}`, `${VAR:?message}`, `${VAR?message}`, `${VAR:+other}`, `${VAR+other}`,
/// nested in their words; `$$` is `$`. An unset variable without a default is empty.
[[nodiscard]] tl::expected<Interpolated, InterpolationProblem> interpolate(std::string_view text,
                                                                           const StringMap& variables);

}  // namespace slipway::config
