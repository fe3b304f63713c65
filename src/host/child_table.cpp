#include "host/child_table.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <new>
#include <sys/wait.h>
#include <unordered_map>
#include <utility>
#include <vector>

#include "host/descriptor.hpp"
#include "host/start_report.hpp"

namespace slipway::host {
namespace {

constexpr int kReapsPerCall = 128;
// A member of a group may be reaped by a parent other than us, without a signal to us; only then the poll matters.
constexpr std::chrono::milliseconds kGroupPollFirst{20};
constexpr std::chrono::milliseconds kGroupPollLast{500};

bool group_alive(int group) { return ::kill(-group, 0) == 0 || errno != ESRCH; }

ExitStatus translate(int status) {
  if (WIFSIGNALED(status)) return {ExitStatus::Kind::kSignaled, WTERMSIG(status), {}};
  return {ExitStatus::Kind::kExited, WEXITSTATUS(status), {}};
}

}  // namespace

struct ChildTable::Impl : std::enable_shared_from_this<Impl> {
  struct Child {
    ExitHandler on_exit;
    GroupGoneHandler on_group_gone;
  };

  struct Watch {
    std::function<bool()> lives;
    GroupGoneHandler gone;
  };

  explicit Impl(boost::asio::io_context& c) : context(c), group_timer(c) {}

  boost::asio::io_context& context;
  std::unordered_map<int, Child> children;
  std::unordered_map<int, GroupGoneHandler> groups;  ///< whose leader is gone
  std::vector<Watch> watches;
  std::unordered_map<int, StartReport> failures;  ///< of children not reaped yet
  Pipe reports;
  boost::asio::steady_timer group_timer;
  std::chrono::milliseconds group_poll = kGroupPollFirst;
  std::uint64_t orphans = 0;
  ExitHandler on_orphan;
  bool timer_armed = false;
  bool continuing = false;
  bool closed = false;

  void reap();
  void finish(int pid, int status);
  void read_reports();
  [[nodiscard]] bool watches_any() const { return !groups.empty() || !watches.empty(); }
  void check_groups();
  void watch_groups();
};

void ChildTable::Impl::reap() {
  const std::uint64_t before = orphans;
  int reaped = 0;
  for (; reaped < kReapsPerCall; ++reaped) {
    int status = 0;
    const int pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid <= 0) break;
    finish(pid, status);
    if (closed) return;
  }
  if (watches_any() && (orphans != before || reaped > 0)) check_groups();
  if (reaped < kReapsPerCall || continuing || closed) return;
  continuing = true;
  boost::asio::post(context, [self = shared_from_this()] {
    self->continuing = false;
    if (!self->closed) self->reap();
  });
}

void ChildTable::Impl::finish(int pid, int status) {
  auto child = children.extract(pid);
  if (child.empty()) {
    ++orphans;
    if (on_orphan) on_orphan({pid, translate(status)});
    return;
  }
  ChildExit exit{pid, translate(status), group_alive(pid)};
  try {
    read_reports();
  } catch (const std::bad_alloc&) {
    // Out of memory: a reason less; the exit itself counts.
  }
  if (auto failure = failures.extract(pid))
    exit.status = {ExitStatus::Kind::kNotStarted, failure.mapped().error, to_string(failure.mapped())};
  if (exit.group_alive && child.mapped().on_group_gone) {
    groups[pid] = std::move(child.mapped().on_group_gone);
    group_poll = kGroupPollFirst;
    watch_groups();
  }
  if (child.mapped().on_exit) child.mapped().on_exit(exit);
}

void ChildTable::Impl::read_reports() {
  StartReport batch[16];
  while (reports.read) {
    const ssize_t bytes = ::read(reports.read.get(), batch, sizeof batch);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return;
    // Records are written whole and are read in multiples of their size.
    for (std::size_t i = 0; i < static_cast<std::size_t>(bytes) / sizeof(StartReport); ++i) {
      failures[batch[i].pid] = batch[i];
    }
    if (static_cast<std::size_t>(bytes) < sizeof batch) return;
  }
}

void ChildTable::Impl::check_groups() {
  std::vector<GroupGoneHandler> gone;
  for (auto it = groups.begin(); it != groups.end();) {
    if (group_alive(it->first)) {
      ++it;
      continue;
    }
    gone.push_back(std::move(it->second));
    it = groups.erase(it);
  }
  const auto ended =
      std::stable_partition(watches.begin(), watches.end(), [](const Watch& one) { return one.lives(); });
  for (auto it = ended; it != watches.end(); ++it) gone.push_back(std::move(it->gone));
  watches.erase(ended, watches.end());
  for (const GroupGoneHandler& handler : gone) {
    if (handler && !closed) handler();
  }
}

void ChildTable::Impl::watch_groups() {
  if (timer_armed || !watches_any() || closed) return;
  timer_armed = true;
  group_timer.expires_after(group_poll);
  group_timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->timer_armed = false;
    if (error || self->closed) return;
    self->group_poll = std::min(self->group_poll * 2, kGroupPollLast);
    self->check_groups();
    self->watch_groups();
  });
}

ChildTable::ChildTable(boost::asio::io_context& context) : impl_(std::make_shared<Impl>(context)) {}

ChildTable::~ChildTable() {
  impl_->closed = true;
  impl_->group_timer.cancel();
}

void ChildTable::add(int pid, ExitHandler on_exit, GroupGoneHandler on_group_gone) {
  impl_->children[pid] = {std::move(on_exit), std::move(on_group_gone)};
  impl_->failures.erase(pid);
  // The kernel gives a number to a new process only when no group has it: the old group is gone, and nobody has seen
  // it.
  if (auto group = impl_->groups.extract(pid); !group.empty() && group.mapped()) {
    boost::asio::post(impl_->context, [impl = impl_, gone = std::move(group.mapped())] {
      if (!impl->closed) gone();
    });
  }
}

void ChildTable::watch(std::function<bool()> lives, GroupGoneHandler gone) {
  impl_->watches.push_back({std::move(lives), std::move(gone)});
  impl_->group_poll = kGroupPollFirst;
  impl_->watch_groups();
}

void ChildTable::forget(int pid) {
  if (auto child = impl_->children.find(pid); child != impl_->children.end()) child->second = {};
  impl_->groups.erase(pid);
}

void ChildTable::reap() {
  const auto keep_alive = impl_;
  keep_alive->reap();
}

void ChildTable::on_orphan(ExitHandler handler) { impl_->on_orphan = std::move(handler); }

bool ChildTable::is_tracked(int pid) const { return impl_->children.contains(pid); }

std::size_t ChildTable::tracked() const { return impl_->children.size(); }

std::uint64_t ChildTable::orphans_reaped() const { return impl_->orphans; }

bool ChildTable::childless() const {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

int ChildTable::report_descriptor() {
  if (!impl_->reports.write) {
    impl_->reports = make_pipe();
    // Only the reading description: a child that finds the pipe full must wait, not lose its record.
    if (impl_->reports.read) ::fcntl(impl_->reports.read.get(), F_SETFL, O_NONBLOCK);
  }
  return impl_->reports.write.get();
}

}  // namespace slipway::host
