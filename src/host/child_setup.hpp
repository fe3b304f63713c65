#pragma once
// What a child does between fork and exec, as an initializer of Boost.Process v2. Prepared by the parent, so that the
// child allocates nothing; all of it is async-signal-safe. Private to host.

#include <boost/system/error_code.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "host/accounts.hpp"
#include "host/capabilities.hpp"
#include "host/child_options.hpp"
#include "host/launcher.hpp"
#include "host/start_report.hpp"

namespace slipway::host {

class ChildSetup {
 public:
  using ErrorCode = boost::system::error_code;

  /// `launch`, `identity` and `capabilities` must live until the fork returned; `report` is the pipe's write end.
  ChildSetup(const Launch& launch, const std::optional<Identity>& identity,
             const std::optional<CapabilityPlan>& capabilities, int report);

  static constexpr std::size_t kPidDigits = 11;
  /// The child writes its own pid there: room for kPidDigits and a NUL.
  void write_pid_to(char* text) { own_pid_ = text; }

  template <typename Launcher, typename Path, typename Argv>
  ErrorCode on_exec_setup(Launcher&, const Path& executable, Argv&) {
    detail_ = executable.c_str();
    return run() ? ErrorCode() : ErrorCode(error_, boost::system::system_category());
  }

  // Boost.Process 1.81 looks for the second form and calls the first; later releases need the first alone.
  template <typename Launcher, typename Path, typename Argv>
  void on_exec_error(Launcher&, const Path&, Argv&, const ErrorCode& error) {
    report(error.value());
  }
  template <typename Launcher, typename Path, typename Argv>
  void on_exec_error(Launcher&, const ErrorCode& error, const Path&, Argv&, const ErrorCode&) {
    report(error.value());
  }

  template <typename Launcher, typename Path, typename Argv>
  void on_success(Launcher& launcher, const Path&, Argv&) {
    lead_group(launcher.pid);
  }

 private:
  struct Redirection {
    int child;
    int parent;  ///< -1: /dev/null
    int moved;   ///< a copy out of the way of every target
  };

  bool run();
  bool step(StartStage stage, const char* detail, bool ok);
  bool arrange_descriptors();
  bool constrain();
  bool change_privileges();
  bool become_identity();
  bool take_terminal();
  bool take_place();
  bool reset_signals() const;
  void lead_group(int pid) const;
  void report(int error) const;

  const Launch* launch_;
  const std::optional<Identity>* identity_;
  const std::optional<CapabilityPlan>* capabilities_;
  ChildOptions options_;
  int report_;
  char* own_pid_ = nullptr;
  int above_;  ///< every descriptor from here on is free of targets
  bool set_groups_ = false;
  std::vector<Redirection> redirections_;
  std::string identity_text_;
  StartStage stage_ = StartStage::kExec;
  const char* detail_ = "";
  char number_[12] = {};
  int error_ = 0;
};

}  // namespace slipway::host
