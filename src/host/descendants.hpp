#pragma once
// The processes below us, and the sweep that ends what outlived its unit. Only our own descendants are ever signalled:
// never kill(-1), and never a process that an operator put into the container from outside.

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "config/error.hpp"
#include "host/child_table.hpp"

namespace slipway::host {

/// We are the init of our PID namespace.
[[nodiscard]] bool is_init();
/// Makes orphans our children although we are not PID 1 (prctl(2), PR_SET_CHILD_SUBREAPER).
[[nodiscard]] Result<void> become_subreaper();

/// All live descendants of this process (zombies left out), from /proc/<pid>/task/<tid>/children where the kernel has
/// it, from the parents in /proc/<pid>/stat otherwise. Empty when /proc is not mounted.
[[nodiscard]] std::vector<int> descendants();

/// Sends a signal to a process if it is a descendant of ours at that very moment, so that a number from an old list
/// never reaches a stranger who got it since. By pidfd; by kill(2) where the kernel or a seccomp filter refuses those.
/// False when nothing was sent: it is gone, or it is not ours. Never for pid <= 1 or ourselves.
bool signal_descendant(int pid, int signal);

/// `pid` was started below `ancestor`, by its child or its child's child and so on. False once the chain is broken: an
/// orphan is a child of ours.
[[nodiscard]] bool is_below(int pid, int ancestor);

/// Ends every descendant: TERM at once, KILL after `grace`, again and again for those that appear meanwhile, until none
/// is left or `timeout` passed. `done` gets the number of survivors, from the event loop. Destroying the sweep abandons
/// it.
class Sweep {
 public:
  Sweep(boost::asio::io_context& context, ChildTable& children, std::chrono::milliseconds grace,
        std::chrono::milliseconds timeout, std::function<void(std::size_t left)> done);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::host
