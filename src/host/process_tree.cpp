#include "host/process_tree.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include "host/descriptor.hpp"

namespace slipway::host {
namespace {

constexpr int kDeepestChain = 4096;
constexpr int kWalks = 8;

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

/// The fields of proc_pid_stat(5) after the name, counted as the manual does: 3 is the state.
constexpr int kStateField = 3;
constexpr int kParentField = 4;
constexpr int kStartField = 22;

enum class Walk { kOurs, kStranger, kChanged };

/// One walk up the chain of parents. A parent's number may be recycled between two looks; then its child has got
/// another parent, which the second look at the child shows.
Walk walk_up(int pid) {
  const int self = ::getpid();
  auto stat = read_stat(pid);
  for (int depth = 0; stat && depth < kDeepestChain; ++depth) {
    if (stat->parent == self) return Walk::kOurs;
    if (stat->parent <= 1) return Walk::kStranger;
    const auto above = read_stat(stat->parent);
    const auto again = read_stat(pid);
    if (!above || !again || again->parent != stat->parent) return Walk::kChanged;
    pid = stat->parent;
    stat = above;
  }
  return Walk::kStranger;
}

}  // namespace

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

/// The name in parentheses may itself hold parentheses and spaces: what follows the last one counts.
std::optional<ProcessStat> read_stat(int pid) {
  const auto text = read_proc("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = text ? text->rfind(')') : std::string::npos;
  if (name_end == std::string::npos) return {};
  ProcessStat stat;
  std::string_view rest = std::string_view(*text).substr(name_end + 1);
  for (int field = kStateField; field <= kStartField; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find_first_of(" \n"));
    if (word.empty()) return {};
    rest.remove_prefix(word.size());
    const auto number = [&](auto& into) {
      return std::from_chars(word.data(), word.data() + word.size(), into).ec == std::errc();
    };
    if (field == kStateField) stat.state = word.front();
    if (field == kParentField && !number(stat.parent)) return {};
    if (field == kStartField && !number(stat.started)) return {};
  }
  return stat;
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

std::vector<int> every_process() { return numeric_entries("/proc"); }

bool is_descendant(int pid) {
  if (pid <= 1 || pid == ::getpid()) return false;
  for (int attempt = 0; attempt < kWalks; ++attempt) {
    const Walk walk = walk_up(pid);
    if (walk != Walk::kChanged) return walk == Walk::kOurs;
  }
  return false;
}

}  // namespace slipway::host
