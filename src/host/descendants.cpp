#include "host/descendants.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <new>
#include <set>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

#include "host/descriptor.hpp"
#include "host/process_tree.hpp"

namespace slipway::host {
namespace {

/// A process at a moment: the number alone may be somebody else's later.
using Identity = std::pair<int, std::uint64_t>;

std::vector<int> candidates() {
  auto found = children_of(::getpid());
  if (!found) return every_process();
  std::vector<int> result = *std::move(found);
  for (std::size_t i = 0; i < result.size(); ++i) {
    const auto next = children_of(result[i]);
    for (const int child : next ? *next : std::vector<int>()) result.push_back(child);
  }
  return result;
}

/// Of the candidates those whose parents lead to us: the children of a number that was recycled meanwhile are not.
std::set<Identity> living_descendants() {
  std::map<int, ProcessStat> stats;
  for (const int pid : candidates()) {
    if (pid <= 1) continue;
    if (const auto stat = read_stat(pid)) stats.emplace(pid, *stat);
  }
  std::set<int> ours{::getpid()};
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [pid, stat] : stats) {
      if (ours.contains(stat.parent)) grew = ours.insert(pid).second || grew;
    }
  }
  std::set<Identity> result;
  for (const auto& [pid, stat] : stats) {
    if (ours.contains(pid) && pid != ::getpid() && !stat.dead()) result.emplace(pid, stat.started);
  }
  return result;
}

/// ENOSYS before Linux 5.3, EPERM under a seccomp filter that does not know it.
bool unavailable(int error) { return error == ENOSYS || error == EPERM; }

}  // namespace

bool is_below(int pid, int ancestor) {
  constexpr int kDeepest = 64;
  for (int depth = 0; depth < kDeepest && pid > 1; ++depth) {
    const auto stat = read_stat(pid);
    if (!stat) return false;
    if (stat->parent == ancestor) return true;
    pid = stat->parent;
  }
  return false;
}

bool is_init() { return ::getpid() == 1; }

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) == 0) return {};
  return failure(ExitCode::kInternal, std::string("prctl PR_SET_CHILD_SUBREAPER: ") + ::strerror(errno));
}

std::vector<int> descendants() {
  std::vector<int> result;
  for (const auto& [pid, started] : living_descendants()) result.push_back(pid);
  return result;
}

bool signal_descendant(int pid, int signal) {
  if (pid <= 1 || pid == ::getpid()) return false;
  // While the descriptor's process is not reaped the number is its own, so what is read by number is read of it; and
  // once it is reaped, sending fails.
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!process && !unavailable(errno)) return false;
  if (!is_descendant(pid)) return false;
  if (!process) return ::kill(pid, signal) == 0;
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0U) == 0) return true;
  return unavailable(errno) && is_descendant(pid) && ::kill(pid, signal) == 0;
}

struct Sweep::Impl : std::enable_shared_from_this<Impl> {
  using Clock = std::chrono::steady_clock;

  Impl(boost::asio::io_context& context, ChildTable& table) : timer(context), children(table) {}

  boost::asio::steady_timer timer;
  ChildTable& children;
  Clock::time_point kill_at;
  Clock::time_point give_up_at;
  std::function<void(std::size_t)> done;
  std::set<Identity> asked;  ///< who already got TERM; of the living only, so that it does not grow
  std::chrono::milliseconds pause{1};
  bool abandoned = false;

  void round() {
    children.reap();
    if (abandoned) return;
    const std::set<Identity> left = living_descendants();
    const auto now = Clock::now();
    if ((left.empty() && children.childless()) || now >= give_up_at) return std::exchange(done, nullptr)(left.size());
    std::erase_if(asked, [&](const Identity& one) { return !left.contains(one); });
    for (const Identity& one : left) {
      if (now >= kill_at) {
        signal_descendant(one.first, SIGKILL);
      } else if (asked.insert(one).second) {
        signal_descendant(one.first, SIGTERM);
        signal_descendant(one.first, SIGCONT);
      }
    }
    wait(std::min({now + pause, now < kill_at ? kill_at : give_up_at, give_up_at}));
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }

  void wait(Clock::time_point until) {
    timer.expires_at(until);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->abandoned) return;
      try {
        self->round();
      } catch (const std::bad_alloc&) {  // an end must come, whatever there is to count
        if (self->done) self->wait(Clock::now() + self->pause);
      }
    });
  }
};

Sweep::Sweep(boost::asio::io_context& context, ChildTable& children, std::chrono::milliseconds grace,
             std::chrono::milliseconds timeout, std::function<void(std::size_t left)> done)
    : impl_(std::make_shared<Impl>(context, children)) {
  const auto now = Impl::Clock::now();
  impl_->kill_at = now + grace;
  impl_->give_up_at = now + timeout;
  impl_->done = std::move(done);
  impl_->wait(now);
}

Sweep::~Sweep() {
  impl_->abandoned = true;
  impl_->timer.cancel();
}

}  // namespace slipway::host
