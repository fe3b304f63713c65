#include "control/unit_patterns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_handler.hpp"

namespace slipway::control {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class UnitPatterns : public ::testing::Test {
 protected:
  UnitPatterns() {
    handler_.units = {make_unit("cache", "ready"), make_unit("web[0]", "ready"), make_unit("web[1]", "ready")};
  }
  FakeHandler handler_;
};

TEST_F(UnitPatterns, WorkerMeansEveryReplica) {
  EXPECT_THAT(match_units(handler_, {"web"}).value(), ElementsAre(1, 2));
}

TEST_F(UnitPatterns, InstanceMeansItself) {
  EXPECT_THAT(match_units(handler_, {"web[1]", "cache"}).value(), ElementsAre(0, 2));
}

TEST_F(UnitPatterns, EachUnitCountsOnce) {
  EXPECT_THAT(match_units(handler_, {"web", "web[0]", "web"}).value(), ElementsAre(1, 2));
}

TEST_F(UnitPatterns, NothingMeansNothing) { EXPECT_THAT(match_units(handler_, {}).value(), IsEmpty()); }

TEST_F(UnitPatterns, UnknownNamesAreRefused) {
  EXPECT_EQ(match_units(handler_, {"cahce"}).error().message, "cahce: no such unit; did you mean 'cache'?");
  EXPECT_EQ(match_units(handler_, {"web[9]x"}).error().message, "web[9]x: no such unit: `slipway status` lists them");
  EXPECT_FALSE(match_units(handler_, {std::string(60000, 'w')}));
}

}  // namespace
}  // namespace slipway::control
