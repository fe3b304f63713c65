#include "supervisor/memory_reserve.hpp"

#include <cstdlib>
#include <new>
#include <utility>

namespace slipway::supervisor {
namespace {

constexpr std::size_t kReserve = std::size_t{512} << 10;

void* block = nullptr;

void give_back() {
  if (!block) throw std::bad_alloc();
  std::free(std::exchange(block, nullptr));
}

}  // namespace

MemoryReserve::MemoryReserve() {
  block = std::malloc(kReserve);
  std::set_new_handler(give_back);
}

MemoryReserve::~MemoryReserve() {
  std::set_new_handler(nullptr);
  std::free(std::exchange(block, nullptr));
}

bool MemoryReserve::refill() {
  if (block) return false;
  block = std::malloc(kReserve);
  return block != nullptr;
}

}  // namespace slipway::supervisor
