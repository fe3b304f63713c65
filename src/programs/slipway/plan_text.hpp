#pragma once
// A plan in words, as JSON and as a graph. Pure; secrets are taken out of every value.

#include <string>

#include "programs/slipway/inspection.hpp"
#include "programs/slipway/terminal.hpp"

namespace slipway::program {

[[nodiscard]] std::string plan_text(const Inspection& inspection, const Terminal& terminal);
[[nodiscard]] std::string plan_json(const Inspection& inspection);

enum class GraphFormat { kDot, kMermaid };
[[nodiscard]] std::string graph_text(const Inspection& inspection, GraphFormat format);

}  // namespace slipway::program
