#include "host/exit_status.hpp"

#include <cstring>

namespace slipway::host {

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal)) return std::string("SIG") + name;
  return "signal " + std::to_string(signal);
}

std::string to_string(const ExitStatus& status) {
  switch (status.kind) {
    case ExitStatus::Kind::kExited:
      return "exited with code " + std::to_string(status.value);
    case ExitStatus::Kind::kSignaled:
      return "killed by " + signal_name(status.value);
    case ExitStatus::Kind::kNotStarted:
      break;
  }
  return status.reason;
}

}  // namespace slipway::host
