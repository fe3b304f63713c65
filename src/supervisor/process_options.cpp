#include "supervisor/process_options.hpp"

#include "config/kernel_names.hpp"

namespace slipway::supervisor {
namespace {

void collect(const std::vector<std::string>& names, host::CapabilityMask& mask, bool& all) {
  for (const std::string& name : names) {
    all = all || config::is_every_capability(name);
    if (const auto number = config::capability_number(name)) mask |= host::CapabilityMask{1} << *number;
  }
}

}  // namespace

void apply_process_options(const engine::LaunchSpec& from, host::Launch& launch) {
  for (const auto& [name, limit] : from.ulimits) {
    const auto resource = config::limit_resource(name);
    if (!resource) continue;
    const std::int64_t soft = limit.soft.value_or(limit.hard.value_or(config::kUnlimited));
    launch.limits.push_back({*resource, soft, limit.hard.value_or(soft)});
  }
  launch.nice = from.nice;
  launch.oom_score_adj = from.oom_score_adj;
  collect(from.cap_add, launch.capabilities.add, launch.capabilities.add_all);
  collect(from.cap_drop, launch.capabilities.drop, launch.capabilities.drop_all);
  launch.no_new_privileges = from.no_new_privileges;
}

}  // namespace slipway::supervisor
