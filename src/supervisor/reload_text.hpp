#pragma once
// What a reload changes, in words: which workers, and which keys of theirs.

#include <string>
#include <vector>

#include "control/handler.hpp"
#include "engine/reconcile.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

/// `reconciled` is the difference between what is in force and what `after` says.
[[nodiscard]] std::vector<control::PlanChange> describe_changes(const Setup& before, const Setup& after,
                                                                const engine::Reconciled& reconciled);

/// The sections that differ and cannot be changed while the container runs.
[[nodiscard]] std::vector<std::string> fixed_sections(const config::Configuration& before,
                                                      const config::Configuration& after);

/// "web: restart (command)", one a line; "nothing changes".
[[nodiscard]] std::string to_text(const std::vector<control::PlanChange>& changes);

}  // namespace slipway::supervisor
