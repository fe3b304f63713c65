#pragma once
// Markers: small JSON files whose presence is the signal. They hold name, at, boot_id, config_sha256, schema_version
// and duration_ms; `failed` adds unit, reason and exit_code.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/error.hpp"

namespace slipway::host {

struct MarkerFailure {
  std::string unit;  ///< empty when no unit is to blame
  std::string reason;
  int exit_code = 0;
};

struct MarkerContent {
  std::string name;  ///< "migrate.done"
  std::chrono::system_clock::time_point at;
  std::string boot_id;
  std::string config_sha256;
  std::string schema_version;  ///< empty: left out
  std::chrono::milliseconds duration{0};
  std::optional<MarkerFailure> failure;
};

/// The JSON text, one line.
[[nodiscard]] std::string marker_json(const MarkerContent& content);

/// Writes the marker (mode 0644) atomically, creating its directory (0755).
[[nodiscard]] Result<void> write_marker(const std::string& path, const MarkerContent& content);

/// A random identifier for this run of PID 1 (32 hex digits), not the kernel's boot_id.
[[nodiscard]] std::string make_boot_id();

}  // namespace slipway::host
