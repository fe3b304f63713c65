#pragma once
// A block of memory for the moment when there is no other: an exit that was reaped must become an event, and a message
// must be said, before memory comes back. Its pages are never touched, so that it costs address space alone. One per
// process, because the handler of operator new is; one thread.

namespace slipway::supervisor {

class MemoryReserve {
 public:
  /// Takes the block and installs the handler, which gives it back to the allocator once; after that operator new
  /// throws as usual.
  MemoryReserve();
  ~MemoryReserve();
  MemoryReserve(const MemoryReserve&) = delete;
  MemoryReserve& operator=(const MemoryReserve&) = delete;

  /// True when the block had been used and could be taken again: memory was short, and is not any more.
  [[nodiscard]] bool refill();
};

}  // namespace slipway::supervisor
