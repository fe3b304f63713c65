#include "host/start_report.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>

namespace slipway::host {
namespace {

std::string execution_problem(const std::string& program, int error) {
  struct stat status{};
  const bool exists = program.starts_with('/') && ::stat(program.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) return "it is a directory";
  if (error == ENOEXEC) return "it is neither a program for this machine nor a script with a #! line";
  if (error == ENOENT && exists) return "it exists, but the interpreter or loader it asks for does not";
  return ::strerror(error);
}

}  // namespace

std::string to_string(const StartReport& report) {
  const std::string detail(report.detail, ::strnlen(report.detail, sizeof report.detail));
  const std::string problem = ::strerror(report.error);
  const bool denied = report.error == EPERM || report.error == EACCES;
  switch (report.stage) {
    case StartStage::kGroup:
      return "cannot make a process group: " + problem;
    case StartStage::kTerminal:
      return "cannot take the terminal: " + problem;
    case StartStage::kStreams:
      return "cannot set up descriptor " + detail + ": " + problem;
    case StartStage::kMemory:
      return "cannot set oom_score_adj to " + detail + ": " + problem +
             (denied ? ": less than Slipway's own needs CAP_SYS_RESOURCE" : "");
    case StartStage::kLimit:
      return "cannot set ulimits." + detail + ": " + problem +
             (denied ? ": it is above the container's own hard limit: raise that (docker run --ulimit), or give "
                       "CAP_SYS_RESOURCE"
                     : "");
    case StartStage::kPriority:
      return "cannot set nice to " + detail + ": " + problem +
             (denied ? ": less than Slipway's own needs CAP_SYS_NICE" : "");
    case StartStage::kBounding:
      return "cannot drop capabilities: " + problem;
    case StartStage::kIdentity:
      return "cannot become " + detail + ": " + problem +
             (report.error == EPERM ? ": Slipway must run as root, with CAP_SETUID and CAP_SETGID, to change users"
                                    : "");
    case StartStage::kCapabilities:
      return "cannot set capabilities: " + problem;
    case StartStage::kDirectory:
      return "cannot change to working directory " + detail + ": " + problem;
    case StartStage::kMask:
      return "cannot reset the signals: " + problem;
    case StartStage::kPrivileges:
      return "cannot set no_new_privileges: " + problem;
    case StartStage::kExec:
      break;
  }
  return "cannot execute " + detail + ": " + execution_problem(detail, report.error);
}

}  // namespace slipway::host
