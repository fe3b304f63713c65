#pragma once
// The time as log lines show it.

#include <chrono>
#include <string_view>

namespace slipway::logging {

/// "2026-11-21T08:40:00.123Z". Formats again only when the millisecond changed; the view lives until the next call.
class Timestamp {
 public:
  std::string_view format(std::chrono::system_clock::time_point time);

 private:
  char text_[32] = {};
  long long millisecond_ = -1;
  long long second_ = -1;
};

}  // namespace slipway::logging
