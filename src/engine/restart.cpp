#include "engine/restart.hpp"

#include <algorithm>
#include <cmath>

#include "engine/timers.hpp"

namespace slipway::engine {
namespace {

/// Starts at or before `at - interval` are out of the window.
bool within(Instant start, Instant at, Duration interval) { return after(start, interval) > at; }

}  // namespace

double Jitter::factor(double width) {
  state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  z ^= z >> 31;
  const double unit = static_cast<double>(z >> 11) * 0x1.0p-53;
  return 1 + std::clamp(width, 0.0, 1.0) * (2 * unit - 1);
}

void StartHistory::record(const RestartPolicy& policy, Instant now) {
  if (policy.start_limit_burst == 0) return;
  while (!starts_.empty() && !within(starts_.front(), now, policy.start_limit_interval)) starts_.pop_front();
  starts_.push_back(now);
}

void StartHistory::forget_last() {
  if (!starts_.empty()) starts_.pop_back();
}

void StartHistory::run_ended(const RestartPolicy& policy, Duration lasted) {
  const Duration enough =
      policy.start_limit_interval > Duration::zero() ? policy.start_limit_interval : policy.max_delay;
  if (lasted >= enough) attempts_ = 0;
}

void StartHistory::reset() {
  starts_.clear();
  attempts_ = 0;
}

Duration StartHistory::next_delay(const RestartPolicy& policy, Jitter& jitter) {
  // In double, where backoff^n may become infinite but never wraps around.
  const double grown = static_cast<double>(policy.delay.count()) * std::pow(policy.backoff, attempts_);
  const double capped = std::min(std::isnan(grown) ? 0.0 : grown, static_cast<double>(policy.max_delay.count()));
  const double delay = std::max(capped, 0.0) * jitter.factor(policy.jitter);
  constexpr double kLongest = 3.2e11;  // ten years, in milliseconds
  if (attempts_ < 10'000) ++attempts_;
  return Duration(std::llround(std::min(delay, kLongest)));
}

bool StartHistory::exhausted(const RestartPolicy& policy, Instant at) const {
  if (policy.start_limit_burst == 0) return false;
  const auto recent = std::count_if(starts_.begin(), starts_.end(),
                                    [&](Instant start) { return within(start, at, policy.start_limit_interval); });
  return static_cast<std::size_t>(recent) >= policy.start_limit_burst;
}

}  // namespace slipway::engine
