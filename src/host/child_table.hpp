#pragma once
// The one owner of wait(2). Children of the launcher are tracked and each status goes to its handler; everybody else
// who ends up as our child (orphans, when we are PID 1 or a subreaper) is reaped and counted. Nobody else in the
// program may call wait. One thread; handlers run from reap() and may add children or destroy their own owners.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "host/exit_status.hpp"

namespace boost::asio {
class io_context;
}

namespace slipway::host {

struct ChildExit {
  int pid = 0;
  ExitStatus status;
  bool group_alive = false;  ///< other processes of the child's group (pgid = pid) still live
};

class ChildTable {
 public:
  using ExitHandler = std::function<void(const ChildExit&)>;
  using GroupGoneHandler = std::function<void()>;

  /// The context is used to continue long reaps and to watch groups whose leader is gone.
  explicit ChildTable(boost::asio::io_context& context);
  ~ChildTable();
  ChildTable(const ChildTable&) = delete;
  ChildTable& operator=(const ChildTable&) = delete;

  /// Tracks a child from now on; Launcher::launch does it for its children. `on_exit` is called exactly once.
  /// `on_group_gone` is called once, later, if and only if the exit said `group_alive`.
  void add(int pid, ExitHandler on_exit, GroupGoneHandler on_group_gone = {});

  /// Calls `gone` once, from the event loop, when `lives` is false: for processes that are nobody's group, asked again
  /// whenever an orphan was reaped, and now and then.
  void watch(std::function<bool()> lives, GroupGoneHandler gone);

  /// Drops the handlers of a child and of its group; the child is still reaped.
  void forget(int pid);

  /// Call on every SIGCHLD. Reaps a bounded number of children and continues from the event loop while there are
  /// more, so that a storm of orphans starves nobody.
  void reap();

  /// Called for each child that nobody tracked.
  void on_orphan(ExitHandler handler);

  [[nodiscard]] std::size_t tracked() const;
  [[nodiscard]] bool is_tracked(int pid) const;
  [[nodiscard]] std::uint64_t orphans_reaped() const;
  /// No child at all is left, tracked or not (waitpid(2) says ECHILD).
  [[nodiscard]] bool childless() const;

  /// For the launcher: the write end on which a child reports why it could not start. Close-on-exec.
  [[nodiscard]] int report_descriptor();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
