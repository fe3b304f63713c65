// The plan of a child's capability sets, and what the kernel says of a child that got them.

#include "host/capabilities.hpp"

#include <gmock/gmock.h>
#include <linux/capability.h>

#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using testing::HasSubstr;

constexpr uid_t kRoot = 0;
constexpr uid_t kUser = 65534;

constexpr CapabilityMask mask(int number) { return CapabilityMask{1} << number; }

const CapabilityMask kChown = mask(CAP_CHOWN);
const CapabilityMask kBind = mask(CAP_NET_BIND_SERVICE);
const CapabilityMask kSetpcap = mask(CAP_SETPCAP);

CapabilitySets root_with(CapabilityMask all) { return {all, all, 0, all, 0}; }

TEST(CapabilityPlans, AreNeededOnlyWhereTheKernelDoesNotTakeThemAnyway) {
  EXPECT_FALSE(needs_plan({}, kRoot, kRoot));
  EXPECT_FALSE(needs_plan({}, kRoot, kUser));
  EXPECT_TRUE(needs_plan({}, kUser, kUser + 1));
  EXPECT_TRUE(needs_plan({.drop_all = true}, kRoot, kRoot));
}

TEST(CapabilityPlans, GiveAnotherUserWhatIsAddedAndNothingElse) {
  const CapabilitySets own = root_with(kChown | kBind | kSetpcap);
  const auto plan = plan_capabilities({.add = kBind}, own, kRoot, kUser, false);
  EXPECT_EQ(plan.value(), (CapabilityPlan{0, kBind, kBind, kBind, true}));
}

TEST(CapabilityPlans, TakeWhatIsDroppedFromEverySet) {
  CapabilitySets own = root_with(kChown | kBind | kSetpcap);
  own.inheritable = own.ambient = kChown | kBind;
  const auto plan = plan_capabilities({.drop = kChown}, own, kRoot, kRoot, false);
  EXPECT_EQ(plan.value(), (CapabilityPlan{kChown, kBind | kSetpcap, kBind, kBind, false}));
}

TEST(CapabilityPlans, LetAddedOnesOutliveDropAll) {
  const CapabilitySets own = root_with(kChown | kBind | kSetpcap);
  const auto plan = plan_capabilities({.add = kBind, .drop_all = true}, own, kRoot, kRoot, false);
  EXPECT_EQ(plan.value(), (CapabilityPlan{kChown | kSetpcap, kBind, kBind, kBind, false}));
}

TEST(CapabilityPlans, AddAllMeansWhatThisProcessHasLessWhatIsDropped) {
  const CapabilitySets own = root_with(kChown | kBind | kSetpcap);
  const auto plan = plan_capabilities({.drop = kChown, .add_all = true}, own, kRoot, kUser, false);
  EXPECT_EQ(plan.value(), (CapabilityPlan{kChown, kBind | kSetpcap, kBind | kSetpcap, kBind | kSetpcap, true}));
}

TEST(CapabilityPlans, BetweenTwoOrdinaryUsersNothingIsHandedOn) {
  const CapabilitySets own{kBind, kBind, kBind, kBind, kBind};
  EXPECT_EQ(plan_capabilities({}, own, kUser, kUser + 1, false).value(), CapabilityPlan{});
}

TEST(CapabilityPlans, RefuseWhatTheContainerHasNot) {
  const auto plan = plan_capabilities({.add = kBind}, root_with(kChown | kSetpcap), kRoot, kUser, false);
  ASSERT_FALSE(plan.has_value());
  EXPECT_THAT(plan.error().message, HasSubstr("cap_add: CAP_NET_BIND_SERVICE: Slipway does not have it itself"));
}

TEST(CapabilityPlans, NeedSetpcapForTheBoundingSetUnlessNothingCanBeGained) {
  const CapabilitySets own = root_with(kChown | kBind);
  const auto refused = plan_capabilities({.drop = kChown}, own, kRoot, kRoot, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("cap_drop: CAP_CHOWN: without CAP_SETPCAP"));
  EXPECT_EQ(plan_capabilities({.drop = kChown}, own, kRoot, kRoot, true).value(),
            (CapabilityPlan{0, kBind, 0, 0, false}));
}

class Capabilities : public HostTest {};

TEST_F(Capabilities, AreReadFromTheKernelAsTheyAre) {
  run(shell("exec grep -E '^Cap(Prm|Bnd)' /proc/self/status"));
  const CapabilitySets own = own_capabilities();
  const auto line = [](const char* name, CapabilityMask value) {
    char text[32];
    std::snprintf(text, sizeof text, "%s:\t%016llx\n", name, static_cast<unsigned long long>(value));
    return std::string(text);
  };
  EXPECT_EQ(output, line("CapPrm", own.permitted) + line("CapBnd", own.bounding));
}

TEST_F(Capabilities, OutliveTheChangeOfTheUser) {
  Launch launch = shell("exec grep -E '^(Uid|Cap(Inh|Prm|Eff|Amb))' /proc/self/status");
  launch.user = "65534";
  launch.capabilities.add = kBind;
  run(launch);
  EXPECT_THAT(output, HasSubstr("Uid:\t65534\t65534\t65534\t65534\n"));
  for (const char* name : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    EXPECT_THAT(output, HasSubstr(std::string(name) + ":\t0000000000000400\n"));
}

TEST_F(Capabilities, AreGoneForGoodWhenDropped) {
  Launch launch = shell("exec grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status");
  launch.capabilities.drop_all = true;
  run(launch);
  const std::string none = ":\t0000000000000000\n";
  EXPECT_EQ(output, "CapPrm" + none + "CapEff" + none + "CapBnd" + none);
}

}  // namespace
}  // namespace slipway::host
