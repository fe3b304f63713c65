#pragma once
// The engine's deadlines: a fixed number of slots, each armed or not, in a binary heap that knows where every slot
// is. Arming, disarming and taking the next one cost O(log n); nothing is allocated after construction or grow().

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/messages.hpp"

namespace slipway::engine {

class Timers {
 public:
  explicit Timers(std::size_t slots);
  /// More slots, not armed. There are never fewer.
  void grow(std::size_t slots);

  /// Sets the slot's deadline, replacing an earlier one.
  void arm(std::size_t slot, Instant due);
  /// Moves the slot's deadline to a later one; does nothing when it is not armed or its own is later.
  void postpone(std::size_t slot, Instant due);
  /// Moves the slot's deadline by `span`; does nothing when it is not armed.
  void delay(std::size_t slot, Duration span);
  [[nodiscard]] bool armed(std::size_t slot) const { return position_[slot] != kAbsent; }
  /// Does nothing when the slot is not armed.
  void disarm(std::size_t slot);
  [[nodiscard]] std::optional<Instant> next() const;
  /// Disarms and returns the slot with the earliest deadline not after `now`; equal deadlines in order of slots.
  [[nodiscard]] std::optional<std::size_t> take_due(Instant now);

 private:
  struct Entry {
    Instant due;
    std::uint32_t slot;
  };
  static constexpr std::uint32_t kAbsent = UINT32_MAX;

  [[nodiscard]] bool before(std::size_t left, std::size_t right) const;
  void place(std::size_t position, Entry entry);
  void swap(std::size_t left, std::size_t right);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Entry> heap_;
  std::vector<std::uint32_t> position_;  ///< by slot; kAbsent when disarmed
};

/// `now + delay`, where a delay beyond ten years means ten years: a configured duration must not overflow the clock.
[[nodiscard]] Instant after(Instant now, Duration delay);

}  // namespace slipway::engine
