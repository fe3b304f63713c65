#pragma once
// What no single key can tell: presets, and rules between keys.

#include "config/loading/binder.hpp"

namespace slipway::config {

/// Fills what another key implies: `healthcheck: {test: NONE}`, the backend of a
/// `url`, and `completed` for the built-in oneshots, which are of no use half done. Values that are given win.
void complete(Configuration& configuration, const Places& places);

/// Reports contradictions between keys: dependencies, conditions, cycles, pairs that exclude each other.
void check(const Configuration& configuration, const Places& places, Problems& problems);

/// Only the part of check() about `schedule`.
void check_schedules(const Configuration& configuration, const Places& places, Problems& problems);

/// Only the part of check() about `depends_on`.
void check_dependencies(const Configuration& configuration, const Places& places, Problems& problems);

/// Only the part about a worker's limits and capabilities; `path` is the worker's.
void check_process(const std::string& path, const Worker& worker, const Places& places, Problems& problems);

/// Only the part about the files that workers' output goes to.
void check_logging(const Configuration& configuration, const Places& places, Problems& problems);

}  // namespace slipway::config
