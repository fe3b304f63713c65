#pragma once
// When a unit may start again: exponential backoff with jitter, and the start limit, which ends a loop of crashes.

#include <cstdint>
#include <deque>
#include <string>

#include "engine/messages.hpp"
#include "engine/plan.hpp"

namespace slipway::engine {

/// splitmix64 (Steele, Lea, Flood 2014): the same seed gives the same delays with every standard library.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) : state_(seed) {}
  /// Uniform in [1 - width, 1 + width].
  [[nodiscard]] double factor(double width);

 private:
  std::uint64_t state_;
};

/// One unit's memory of its starts. It holds at most `start_limit_burst` of them.
class StartHistory {
 public:
  void record(const RestartPolicy& policy, Instant now);
  /// The start recorded last did not happen after all: no process came to exist.
  void forget_last();
  /// A run that lasted `start_limit_interval` (or `max_delay`, where there is no interval) proves the unit works:
  /// the backoff begins anew.
  void run_ended(const RestartPolicy& policy, Duration lasted);
  /// An operator starts the unit: everything begins anew.
  void reset();

  /// The delay before the next start: delay * backoff^n, at most max_delay, then jitter.
  [[nodiscard]] Duration next_delay(const RestartPolicy& policy, Jitter& jitter);
  /// True when a start at `at` would be one more than `start_limit_burst` within `start_limit_interval`.
  [[nodiscard]] bool exhausted(const RestartPolicy& policy, Instant at) const;
  [[nodiscard]] unsigned attempts() const { return attempts_; }

 private:
  std::deque<Instant> starts_;
  unsigned attempts_ = 0;  ///< the n of the next delay
};

}  // namespace slipway::engine
