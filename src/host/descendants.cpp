#include "host/descendants.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include "host/descriptor.hpp"

namespace slipway::host {
namespace {

std::optional<std::string> read_proc(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  std::string content;
  char buffer[4096];
  for (;;) {
    const ssize_t bytes = ::read(file.get(), buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return content;
    content.append(buffer, static_cast<std::size_t>(bytes));
  }
}

/// The names in a directory that are numbers: processes in /proc, threads in a task directory.
std::vector<int> numeric_entries(const std::string& path) {
  std::vector<int> numbers;
  DIR* directory = ::opendir(path.c_str());
  while (const dirent* entry = directory ? ::readdir(directory) : nullptr) {
    int number = 0;
    const std::string_view name = entry->d_name;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && end == name.data() + name.size()) numbers.push_back(number);
  }
  if (directory) ::closedir(directory);
  return numbers;
}

struct ProcessStat {
  char state = '?';
  int parent = 0;
};

/// proc_pid_stat(5). The name in parentheses may itself hold parentheses and spaces: what follows the last one counts.
std::optional<ProcessStat> read_stat(int pid) {
  const auto text = read_proc("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 >= text->size()) return {};
  ProcessStat stat;
  stat.state = (*text)[name_end + 2];
  const char* begin = text->data() + name_end + 4;
  if (std::from_chars(begin, text->data() + text->size(), stat.parent).ec != std::errc()) return {};
  return stat;
}

bool is_zombie(int pid) {
  const auto stat = read_stat(pid);
  return !stat || stat->state == 'Z' || stat->state == 'X';
}

/// Empty when the kernel was built without CONFIG_PROC_CHILDREN.
std::optional<std::vector<int>> children_of(int pid) {
  std::vector<int> children;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::vector<int> threads = numeric_entries(tasks);
  for (const int thread : threads) {
    const auto list = read_proc(tasks + "/" + std::to_string(thread) + "/children");
    // A thread that ended meanwhile is no reason to doubt the kernel; our own main thread is always there.
    if (!list && thread == ::getpid()) return {};
    for (std::string_view rest = list ? std::string_view(*list) : std::string_view(); !rest.empty();) {
      int child = 0;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), child);
      if (error == std::errc()) children.push_back(child);
      rest.remove_prefix(std::min(rest.size(), static_cast<std::size_t>(end - rest.data()) + 1));
    }
  }
  return children;
}

std::vector<int> descendants_by_parents() {
  std::unordered_map<int, std::vector<int>> children;
  for (const int pid : numeric_entries("/proc")) {
    if (const auto stat = read_stat(pid)) children[stat->parent].push_back(pid);
  }
  std::vector<int> result = children[::getpid()];
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::vector<int>& next = children[result[i]];
    result.insert(result.end(), next.begin(), next.end());
  }
  return result;
}

}  // namespace

bool is_init() { return ::getpid() == 1; }

Result<void> become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) == 0) return {};
  return failure(ExitCode::kInternal, std::string("prctl PR_SET_CHILD_SUBREAPER: ") + ::strerror(errno));
}

std::vector<int> descendants() {
  auto found = children_of(::getpid());
  std::vector<int> result;
  if (found) {
    result = *std::move(found);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const auto next = children_of(result[i]);
      if (next) result.insert(result.end(), next->begin(), next->end());
    }
  } else {
    result = descendants_by_parents();
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  result.erase(std::remove_if(result.begin(), result.end(), is_zombie), result.end());
  return result;
}

struct Sweep::Impl : std::enable_shared_from_this<Impl> {
  using Clock = std::chrono::steady_clock;

  Impl(boost::asio::io_context& context, ChildTable& table) : timer(context), children(table) {}

  boost::asio::steady_timer timer;
  ChildTable& children;
  Clock::time_point kill_at;
  Clock::time_point give_up_at;
  std::function<void(std::size_t)> done;
  std::vector<int> asked;  ///< who already got TERM
  std::chrono::milliseconds pause{1};
  bool abandoned = false;

  void round() {
    children.reap();
    if (abandoned) return;
    const std::vector<int> left = descendants();
    const auto now = Clock::now();
    if ((left.empty() && children.childless()) || now >= give_up_at) return std::exchange(done, nullptr)(left.size());
    for (const int pid : left) {
      if (now >= kill_at) {
        ::kill(pid, SIGKILL);
      } else if (std::find(asked.begin(), asked.end(), pid) == asked.end()) {
        asked.push_back(pid);
        ::kill(pid, SIGTERM);
        ::kill(pid, SIGCONT);
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
