#include "host/child_options.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config/kernel_names.hpp"

namespace slipway::host {
namespace {

rlim_t limit_value(std::int64_t value) { return value < 0 ? RLIM_INFINITY : static_cast<rlim_t>(value); }

std::string limit_text(std::int64_t value) { return value < 0 ? "unlimited" : std::to_string(value); }

}  // namespace

ChildOptions::ChildOptions(const Launch& launch)
    : priority_(launch.nice), no_new_privileges_(launch.no_new_privileges) {
  for (const ResourceLimit& limit : launch.limits) {
    limits_.push_back({limit.resource,
                       {limit_value(limit.soft), limit_value(limit.hard)},
                       std::string(config::limit_name(limit.resource)) + " to soft " + limit_text(limit.soft) +
                           ", hard " + limit_text(limit.hard)});
  }
  if (launch.oom_score_adj) oom_score_ = std::to_string(*launch.oom_score_adj);
  if (launch.nice) priority_text_ = std::to_string(*launch.nice);
}

bool ChildOptions::adjust_oom_score() const {
  if (oom_score_.empty()) return true;
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, oom_score_.data(), oom_score_.size()) == static_cast<ssize_t>(oom_score_.size());
  const int error = errno;
  ::close(file);
  errno = error;
  return written;
}

bool ChildOptions::set_limits() {
  for (const Limit& limit : limits_) {
    failed_limit_ = limit.text.c_str();
    // Its parameter is an enumeration in C++ and an int elsewhere.
    if (::setrlimit(static_cast<__rlimit_resource>(limit.resource), &limit.value) != 0) return false;
  }
  return true;
}

bool ChildOptions::set_priority() const { return !priority_ || ::setpriority(PRIO_PROCESS, 0, *priority_) == 0; }

bool ChildOptions::forbid_new_privileges() const {
  return !no_new_privileges_ || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace slipway::host
