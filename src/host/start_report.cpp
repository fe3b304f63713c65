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
  switch (report.stage) {
    case StartStage::kGroup:
      return "cannot make a process group: " + problem;
    case StartStage::kTerminal:
      return "cannot take the terminal: " + problem;
    case StartStage::kStreams:
      return "cannot set up descriptor " + detail + ": " + problem;
    case StartStage::kIdentity:
      return "cannot become " + detail + ": " + problem +
             (report.error == EPERM ? ": Slipway must run as root, with CAP_SETUID and CAP_SETGID, to change users"
                                    : "");
    case StartStage::kDirectory:
      return "cannot change to working directory " + detail + ": " + problem;
    case StartStage::kMask:
      return "cannot reset the signals: " + problem;
    case StartStage::kExec:
      break;
  }
  return "cannot execute " + detail + ": " + execution_problem(detail, report.error);
}

}  // namespace slipway::host
