#pragma once
// What Slipway writes for others before anything starts, and again when a reload changes it.

#include "config/error.hpp"
#include "config/loader.hpp"

namespace slipway::program {

/// `environment_output` and the templates.
[[nodiscard]] Result<void> write_files(const config::Loaded& loaded);

}  // namespace slipway::program
