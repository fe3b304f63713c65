#include "engine/describe.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

namespace slipway::engine {
namespace {

constexpr std::array<std::pair<int, const char*>, 18> kSignalNames{{{SIGHUP, "HUP"},
                                                                    {SIGINT, "INT"},
                                                                    {SIGQUIT, "QUIT"},
                                                                    {SIGILL, "ILL"},
                                                                    {SIGTRAP, "TRAP"},
                                                                    {SIGABRT, "ABRT"},
                                                                    {SIGBUS, "BUS"},
                                                                    {SIGFPE, "FPE"},
                                                                    {SIGKILL, "KILL"},
                                                                    {SIGUSR1, "USR1"},
                                                                    {SIGSEGV, "SEGV"},
                                                                    {SIGUSR2, "USR2"},
                                                                    {SIGPIPE, "PIPE"},
                                                                    {SIGALRM, "ALRM"},
                                                                    {SIGTERM, "TERM"},
                                                                    {SIGXCPU, "XCPU"},
                                                                    {SIGSYS, "SYS"},
                                                                    {SIGWINCH, "WINCH"}}};

}  // namespace

std::string signal_name(int signal) {
  const auto* known = std::find_if(kSignalNames.begin(), kSignalNames.end(),
                                   [signal](const auto& entry) { return entry.first == signal; });
  return known != kSignalNames.end() ? known->second : "signal " + std::to_string(signal);
}

std::string describe(const ExitStatus& status) {
  switch (status.kind) {
    case ExitStatus::Kind::kExited:
      return "exited with code " + std::to_string(status.value);
    case ExitStatus::Kind::kSignaled:
      return "killed by " + signal_name(status.value);
    case ExitStatus::Kind::kNotStarted:
      break;
  }
  return "could not be started: " + status.reason;
}

std::string describe(Duration duration) {
  const auto milliseconds = duration.count();
  if (milliseconds < 1000) return std::to_string(milliseconds) + "ms";
  const auto seconds = milliseconds / 1000;
  if (seconds < 60) {
    const auto tenths = milliseconds % 1000 / 100;
    return std::to_string(seconds) + (tenths != 0 ? "." + std::to_string(tenths) : "") + "s";
  }
  const auto minutes = seconds / 60;
  const auto rest = [](auto value, const char* unit) { return value != 0 ? std::to_string(value) + unit : ""; };
  if (minutes < 60) return std::to_string(minutes) + "m" + rest(seconds % 60, "s");
  return std::to_string(minutes / 60) + "h" + rest(minutes % 60, "m");
}

const char* describe(config::Condition condition) {
  switch (condition) {
    case config::Condition::kStarted:
      return "started";
    case config::Condition::kHealthy:
      return "healthy";
    case config::Condition::kCompleted:
      return "completed";
  }
  return "unknown";
}

const char* describe(UnitKind kind) {
  switch (kind) {
    case UnitKind::kService:
      return "service";
    case UnitKind::kOneshot:
      return "oneshot";
    case UnitKind::kScheduled:
      return "scheduled";
  }
  return "unknown";
}

int own_code(const ExitStatus& status) {
  switch (status.kind) {
    case ExitStatus::Kind::kExited:
      return status.value;
    case ExitStatus::Kind::kSignaled:
      return 128 + status.value;
    case ExitStatus::Kind::kNotStarted:
      break;
  }
  return static_cast<int>(ExitCode::kWorkerFailed);
}

bool is_success(const UnitSpec& spec, const ExitStatus& status) {
  if (status.kind == ExitStatus::Kind::kNotStarted) return false;
  const auto code = static_cast<unsigned>(own_code(status));
  return std::find(spec.success_exit_status.begin(), spec.success_exit_status.end(), code) !=
         spec.success_exit_status.end();
}

int failure_code(const UnitSpec& spec, const ExitStatus* status) {
  if (spec.failure == FailureCode::kDocumented) {
    const bool passes = status != nullptr && status->kind == ExitStatus::Kind::kExited && is_documented(status->value);
    return passes ? status->value : static_cast<int>(spec.failure_code);
  }
  const int code = status != nullptr ? own_code(*status) : 0;
  return code != 0 ? code : static_cast<int>(ExitCode::kWorkerFailed);
}

}  // namespace slipway::engine
