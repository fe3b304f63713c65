#pragma once
// Which capabilities a child has (capabilities(7)). The parent plans, with everything that can be refused in words; the
// child only carries the plan out, async-signal-safe, because its sets change with its user.

#include <cstdint>
#include <sys/types.h>

#include "config/error.hpp"

namespace slipway::host {

/// One bit for each capability's number.
using CapabilityMask = std::uint64_t;

/// What a configuration asks for. `add_all`: what this process has; `drop_all`: all that is not added.
struct CapabilityRequest {
  CapabilityMask add = 0;
  CapabilityMask drop = 0;
  bool add_all = false;
  bool drop_all = false;
  [[nodiscard]] bool empty() const { return add == 0 && drop == 0 && !add_all && !drop_all; }
};

/// The sets of a process.
struct CapabilitySets {
  CapabilityMask permitted = 0;
  CapabilityMask effective = 0;
  CapabilityMask inheritable = 0;
  CapabilityMask bounding = 0;
  CapabilityMask ambient = 0;
  bool operator==(const CapabilitySets&) const = default;
};

/// This process's own sets. An old kernel without ambient capabilities has none.
[[nodiscard]] CapabilitySets own_capabilities();

struct CapabilityPlan {
  CapabilityMask bounding_drop = 0;
  CapabilityMask permitted = 0;  ///< and effective
  CapabilityMask inheritable = 0;
  CapabilityMask ambient = 0;
  bool keep = false;  ///< the permitted set must outlast the change of the user
  bool operator==(const CapabilityPlan&) const = default;
};

/// Whether the kernel's own rules do not suffice: they take what root had, but not what another user has.
[[nodiscard]] bool needs_plan(const CapabilityRequest& request, uid_t user, uid_t target);

/// How a child of a process with `own` sets and the uid `user` gets what is requested as user `target`. A child that
/// becomes another user than root keeps only what is added.
/// `no_new_privileges`: nothing the child executes can gain a capability, so the bounding set may stay.
/// Errors: a capability to add that this process has not; the bounding set cannot be reduced without CAP_SETPCAP.
[[nodiscard]] Result<CapabilityPlan> plan_capabilities(const CapabilityRequest& request, const CapabilitySets& own,
                                                       uid_t user, uid_t target, bool no_new_privileges);

/// For the child, before it changes its user. False and errno when the kernel refuses.
[[nodiscard]] bool prepare_capabilities(const CapabilityPlan& plan);
/// For the child, after it changed its user.
[[nodiscard]] bool take_capabilities(const CapabilityPlan& plan);

}  // namespace slipway::host
