#pragma once
// A random source whose numbers depend on the seed alone, whatever the standard library.

#include <cstdint>
#include <initializer_list>

#include "config/configuration.hpp"

namespace slipway::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 1) {}

  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545F4914F6CDD1DU;
  }
  /// Uniform in [0, limit); 0 for a limit of 0.
  unsigned below(unsigned limit) { return limit == 0 ? 0 : static_cast<unsigned>((next() >> 33) % limit); }
  bool chance(unsigned percent) { return below(100) < percent; }
  config::Duration up_to(config::Duration longest) {
    return config::Duration(below(static_cast<unsigned>(longest.count()) + 1));
  }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + below(static_cast<unsigned>(choices.size())));
  }

 private:
  std::uint64_t state_;
};

}  // namespace slipway::simulation
