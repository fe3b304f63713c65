#pragma once
// `SLIPWAY__SECTION__KEY=value`: variables that replace values of the document before it is bound.

#include "config/document/node.hpp"
#include "config/schema/type.hpp"

namespace slipway::config {

/// Edits `root` by every override among `variables`, in the order of their names. Reports what fits no key, with the
/// variable as the place.
void apply_overrides(Node& root, const StringMap& variables, Problems& problems);

}  // namespace slipway::config
