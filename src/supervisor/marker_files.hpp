#pragma once
// The marker files of one boot: where each lies and what it says. A marker that cannot be written is reported and
// never stops the boot.

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "config/error.hpp"
#include "engine/messages.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

/// Every path under which a marker is published.
[[nodiscard]] std::vector<std::string> marker_paths(const config::Markers& markers, engine::Marker marker);

/// Removes all markers, of whatever boot. Returns what could not be removed.
[[nodiscard]] std::vector<Error> remove_all_markers(const config::Markers& markers);

/// Writes the `failed` marker of a boot that ended before it had a plan. `error` holds no secret. Best effort: there is
/// nobody left to tell.
void write_early_failure(const config::Markers& markers, const Error& error);

class MarkerFiles {
 public:
  /// `setup` must outlive this. Durations in markers count from now.
  explicit MarkerFiles(const Setup& setup);

  [[nodiscard]] std::vector<Error> write(const engine::command::WriteMarker& command);
  [[nodiscard]] std::vector<Error> remove(engine::Marker marker) const;

  /// What the migration reported; appears in the markers written from then on.
  void set_schema_version(std::string version) { schema_version_ = std::move(version); }

 private:
  const Setup* setup_;
  std::chrono::steady_clock::time_point begin_;
  std::string schema_version_;
};

}  // namespace slipway::supervisor
