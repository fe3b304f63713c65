#pragma once
// How this folder tells the operator what it does: one line at a time, without a newline and without secrets.

#include <functional>
#include <string>

namespace slipway::database::postgres {

/// Called synchronously from the calling thread. An empty function means silence.
using Report = std::function<void(const std::string& line)>;

inline void say(const Report& report, const std::string& line) {
  if (report) report(line);
}

}  // namespace slipway::database::postgres
