#include "supervisor/memory_reserve.hpp"

#include <gtest/gtest.h>
#include <new>

namespace slipway::supervisor {
namespace {

TEST(MemoryReserve, HelpsOnceAndIsTakenAgainWhenItCan) {
  MemoryReserve reserve;
  EXPECT_FALSE(reserve.refill()) << "it is whole";
  const std::new_handler out_of_memory = std::get_new_handler();
  ASSERT_NE(out_of_memory, nullptr);
  EXPECT_NO_THROW(out_of_memory());
  EXPECT_THROW(out_of_memory(), std::bad_alloc) << "there is nothing left to give back";
  EXPECT_TRUE(reserve.refill());
  EXPECT_FALSE(reserve.refill());
  EXPECT_NO_THROW(out_of_memory());
}

TEST(MemoryReserve, LeavesNoHandlerBehind) {
  {
    const MemoryReserve reserve;
  }
  EXPECT_EQ(std::get_new_handler(), nullptr);
}

}  // namespace
}  // namespace slipway::supervisor
