#include "engine/timers.hpp"

#include <algorithm>

namespace slipway::engine {

Timers::Timers(std::size_t slots) : position_(slots, kAbsent) { heap_.reserve(slots); }

void Timers::grow(std::size_t slots) {
  if (slots <= position_.size()) return;
  position_.resize(slots, kAbsent);
  heap_.reserve(slots);
}

void Timers::arm(std::size_t slot, Instant due) {
  disarm(slot);
  heap_.push_back({due, static_cast<std::uint32_t>(slot)});
  position_[slot] = static_cast<std::uint32_t>(heap_.size() - 1);
  sift_up(heap_.size() - 1);
}

void Timers::postpone(std::size_t slot, Instant due) {
  if (armed(slot) && heap_[position_[slot]].due < due) arm(slot, due);
}

void Timers::delay(std::size_t slot, Duration span) {
  if (armed(slot)) arm(slot, after(heap_[position_[slot]].due, span));
}

void Timers::disarm(std::size_t slot) {
  const std::uint32_t position = position_[slot];
  if (position == kAbsent) return;
  position_[slot] = kAbsent;
  const Entry last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  place(position, last);
  sift_up(position);
  sift_down(position_[last.slot]);
}

std::optional<Instant> Timers::next() const {
  if (heap_.empty()) return std::nullopt;
  return heap_.front().due;
}

std::optional<std::size_t> Timers::take_due(Instant now) {
  if (heap_.empty() || heap_.front().due > now) return std::nullopt;
  const std::size_t slot = heap_.front().slot;
  disarm(slot);
  return slot;
}

bool Timers::before(std::size_t left, std::size_t right) const {
  const Entry& a = heap_[left];
  const Entry& b = heap_[right];
  return a.due != b.due ? a.due < b.due : a.slot < b.slot;
}

void Timers::place(std::size_t position, Entry entry) {
  heap_[position] = entry;
  position_[entry.slot] = static_cast<std::uint32_t>(position);
}

void Timers::swap(std::size_t left, std::size_t right) {
  const Entry entry = heap_[left];
  place(left, heap_[right]);
  place(right, entry);
}

void Timers::sift_up(std::size_t position) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(position, parent)) return;
    swap(position, parent);
    position = parent;
  }
}

void Timers::sift_down(std::size_t position) {
  while (true) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) return;
    if (child + 1 < heap_.size() && before(child + 1, child)) ++child;
    if (!before(child, position)) return;
    swap(position, child);
    position = child;
  }
}

Instant after(Instant now, Duration delay) {
  constexpr Duration kLongest = std::chrono::hours(24 * 3650);
  return now + std::clamp(delay, Duration::zero(), kLongest);
}

}  // namespace slipway::engine
