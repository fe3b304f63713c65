#include "host/capabilities.hpp"

#include <linux/capability.h>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config/kernel_names.hpp"

namespace slipway::host {
namespace {

constexpr int kMost = 63;

constexpr CapabilityMask bit(int number) { return CapabilityMask{1} << number; }

CapabilityMask join(const __user_cap_data_struct (&data)[2], __u32 __user_cap_data_struct::* set) {
  return data[0].*set | CapabilityMask{data[1].*set} << 32;
}

std::string names_of(CapabilityMask mask) {
  std::string names;
  for (int number = 0; number <= kMost; ++number)
    if ((mask & bit(number)) != 0) names += (names.empty() ? "" : ", ") + config::capability_name(number);
  return names;
}

}  // namespace

CapabilitySets own_capabilities() {
  CapabilitySets sets;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) == 0) {
    sets.permitted = join(data, &__user_cap_data_struct::permitted);
    sets.effective = join(data, &__user_cap_data_struct::effective);
    sets.inheritable = join(data, &__user_cap_data_struct::inheritable);
  }
  for (int number = 0; number <= kMost; ++number) {
    const int bounded = ::prctl(PR_CAPBSET_READ, number, 0, 0, 0);
    if (bounded < 0) break;  // the kernel knows no more of them
    if (bounded == 1) sets.bounding |= bit(number);
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 1) sets.ambient |= bit(number);
  }
  return sets;
}

bool needs_plan(const CapabilityRequest& request, uid_t user, uid_t target) {
  return !request.empty() || (user != 0 && target != user);
}

Result<CapabilityPlan> plan_capabilities(const CapabilityRequest& request, const CapabilitySets& own, uid_t user,
                                         uid_t target, bool no_new_privileges) {
  const CapabilityMask usable = own.permitted & own.bounding;
  const CapabilityMask add = request.add_all ? usable & ~request.drop : request.add;
  const CapabilityMask drop = request.drop_all ? ~add : request.drop;
  if (const CapabilityMask missing = add & ~usable; missing != 0) {
    return failure(ExitCode::kPermission, "cap_add: " + names_of(missing) +
                                              ": Slipway does not have it itself: give it to the container " +
                                              "(docker run --cap-add), where Slipway runs as root");
  }
  CapabilityPlan plan;
  plan.bounding_drop = drop & own.bounding;
  if (plan.bounding_drop != 0 && (own.effective & bit(CAP_SETPCAP)) == 0) {
    if (!no_new_privileges) {
      return failure(ExitCode::kPermission,
                     "cap_drop: " + names_of(plan.bounding_drop) +
                         ": without CAP_SETPCAP Slipway cannot take it away " +
                         "for good: give the container CAP_SETPCAP, or set no_new_privileges: true");
    }
    plan.bounding_drop = 0;
  }
  const bool leaves = target != 0 && target != user;
  const CapabilityMask kept = leaves ? 0 : ~drop;
  plan.permitted = (own.permitted & kept) | add;
  plan.inheritable = (own.inheritable & kept) | add;
  plan.ambient = (own.ambient & kept) | add;
  plan.keep = leaves && add != 0;
  return plan;
}

bool prepare_capabilities(const CapabilityPlan& plan) {
  for (int number = 0; number <= kMost; ++number) {
    if ((plan.bounding_drop & bit(number)) != 0 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0) return false;
  }
  return !plan.keep || ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0;
}

bool take_capabilities(const CapabilityPlan& plan) {
  const auto low = [](CapabilityMask mask) { return static_cast<__u32>(mask); };
  const auto high = [](CapabilityMask mask) { return static_cast<__u32>(mask >> 32); };
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {{low(plan.permitted), low(plan.permitted), low(plan.inheritable)},
                                    {high(plan.permitted), high(plan.permitted), high(plan.inheritable)}};
  // The ambient set shrinks with the other two, but never by what stays in them.
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, data) != 0) return false;
  for (int number = 0; number <= kMost; ++number) {
    if ((plan.ambient & bit(number)) == 0) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0) != 0) return false;
  }
  return true;
}

}  // namespace slipway::host
