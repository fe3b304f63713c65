#pragma once
// The limits, the priority and the privileges of a child: prepared by the parent as text and numbers, applied between
// fork and exec. Each apply function is async-signal-safe and gives false with errno set. Private to host.

#include <string>
#include <sys/resource.h>
#include <vector>

#include "host/launcher.hpp"

namespace slipway::host {

class ChildOptions {
 public:
  explicit ChildOptions(const Launch& launch);

  /// Needs /proc and a free descriptor: before the limits.
  [[nodiscard]] bool adjust_oom_score() const;
  /// Before the child gives up root, which may raise hard limits. On failure `failed_limit()` is what was being set.
  [[nodiscard]] bool set_limits();
  /// After the limits: RLIMIT_NICE may allow what a process without privileges wants.
  [[nodiscard]] bool set_priority() const;
  /// Last of all: it holds for the exec that follows.
  [[nodiscard]] bool forbid_new_privileges() const;

  [[nodiscard]] const char* oom_score() const { return oom_score_.c_str(); }
  [[nodiscard]] const char* failed_limit() const { return failed_limit_; }
  [[nodiscard]] const char* priority() const { return priority_text_.c_str(); }

 private:
  struct Limit {
    int resource;
    rlimit value;
    std::string text;
  };
  std::vector<Limit> limits_;
  std::string oom_score_;  ///< empty: unchanged
  std::string priority_text_;
  std::optional<int> priority_;
  bool no_new_privileges_;
  const char* failed_limit_ = "";
};

}  // namespace slipway::host
