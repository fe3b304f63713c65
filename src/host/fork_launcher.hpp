#pragma once
// A Boost.Process v2 launcher for PID 1. It keeps the library's protocol (argv and environment, the initializers'
// hooks) and differs from its own launchers in three ways. It does not wait for the exec, which with one start after
// another nearly doubles the time to start a thousand processes. It does not tell the execution context about the fork:
// the child never uses it, and re-creating an epoll set there allocates, can throw into the parent's frames, and costs
// one system call per descriptor. And it returns the pid, not an object that would kill and wait for it: ChildTable is
// the only one to wait. Private to host.

#include <boost/optional.hpp>  // default_launcher.hpp uses it and does not include it (1.81, with std::filesystem)
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <unistd.h>

namespace slipway::host {

class ForkLauncher : public boost::process::v2::posix::default_launcher {
 public:
  using ErrorCode = boost::process::v2::error_code;
  using Path = boost::process::v2::filesystem::path;

  /// Returns the pid, or -1 and `error`. `arguments` is a complete, null-terminated argv.
  template <typename... Initializers>
  int start(ErrorCode& error, const Path& executable, const char** arguments, Initializers&&... initializers) {
    namespace hooks = boost::process::v2::posix::detail;
    const char* const* argv = build_argv_(executable, arguments);
    error = hooks::on_setup(*this, executable, argv, initializers...);
    if (error) return -1;
    pid = ::fork();
    if (pid == 0) become(executable, argv, initializers...);
    if (pid < 0) {
      error.assign(errno, boost::system::system_category());
      hooks::on_fork_error(*this, executable, argv, error, initializers...);
      return -1;
    }
    hooks::on_success(*this, executable, argv, initializers...);
    return pid;
  }

 private:
  /// The child. Everything from here on must be async-signal-safe.
  template <typename... Initializers>
  [[noreturn]] void become(const Path& executable, const char* const* argv, Initializers&... initializers) {
    namespace hooks = boost::process::v2::posix::detail;
    ErrorCode error = hooks::on_exec_setup(*this, executable, argv, initializers...);
    if (!error) {
      ::execve(executable.c_str(), const_cast<char* const*>(argv), const_cast<char* const*>(env));
      error.assign(errno, boost::system::system_category());
    }
    hooks::on_exec_error(*this, executable, argv, error, initializers...);
    ::_exit(127);
  }
};

}  // namespace slipway::host
