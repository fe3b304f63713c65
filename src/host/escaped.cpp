#include "host/escaped.hpp"

#include <algorithm>
#include <optional>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/descendants.hpp"
#include "host/process_tree.hpp"

namespace slipway::host {
namespace {

/// Another user for the file system only, so that the kernel lets us read what is that user's: in a container root has
/// CAP_SETUID but not CAP_SYS_PTRACE. The change clears two attributes of ours, which are put back.
class FileSystemUser {
 public:
  FileSystemUser(uid_t user, gid_t group) : dumpable_(::prctl(PR_GET_DUMPABLE, 0UL, 0UL, 0UL, 0UL)) {
    ::prctl(PR_GET_PDEATHSIG, &death_signal_);
    group_ = ::setfsgid(group);
    user_ = ::setfsuid(user);
  }
  ~FileSystemUser() {
    ::setfsuid(static_cast<uid_t>(user_));
    ::setfsgid(static_cast<gid_t>(group_));
    ::prctl(PR_SET_DUMPABLE, static_cast<unsigned long>(dumpable_), 0UL, 0UL, 0UL);
    ::prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(death_signal_), 0UL, 0UL, 0UL);
  }
  FileSystemUser(const FileSystemUser&) = delete;
  FileSystemUser& operator=(const FileSystemUser&) = delete;

 private:
  int dumpable_;
  int death_signal_ = 0;
  int group_ = 0;
  int user_ = 0;
};

std::optional<std::string> environment_of(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  if (auto text = read_proc(folder + "/environ")) return text;
  struct stat owner{};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &owner) != 0 || owner.st_uid == 0) return {};
  const FileSystemUser user(owner.st_uid, owner.st_gid);
  return read_proc(folder + "/environ");
}

bool lists(std::string_view marks, std::string_view mark) {
  for (;;) {
    const std::size_t end = std::min(marks.find(':'), marks.size());
    if (marks.substr(0, end) == mark) return true;
    if (end == marks.size()) return false;
    marks.remove_prefix(end + 1);
  }
}

bool carries(std::string_view environment, std::string_view mark) {
  while (!environment.empty()) {
    const std::size_t end = std::min(environment.find('\0'), environment.size());
    const std::string_view entry = environment.substr(0, end);
    const std::size_t name = kMarkVariable.size();
    if (entry.starts_with(kMarkVariable) && entry.size() > name && entry[name] == '=') {
      return lists(entry.substr(name + 1), mark);
    }
    environment.remove_prefix(std::min(end + 1, environment.size()));
  }
  return false;
}

std::vector<int> own_children() {
  if (auto children = children_of(::getpid())) return *std::move(children);
  std::vector<int> result;
  for (const int pid : every_process()) {
    const auto stat = read_stat(pid);
    if (stat && stat->parent == ::getpid()) result.push_back(pid);
  }
  return result;
}

}  // namespace

Escaped find_escaped(const ChildTable& children, std::string_view mark) {
  Escaped found;
  for (const int pid : own_children()) {
    if (pid <= 1 || children.is_tracked(pid)) continue;
    const auto stat = read_stat(pid);
    if (!stat || stat->parent != ::getpid() || stat->dead()) continue;
    if (stat->state == 'D') {
      found.undecided = true;
      continue;
    }
    const auto environment = environment_of(pid);
    if (environment && carries(*environment, mark)) found.roots.push_back(pid);
  }
  return found;
}

void signal_escaped(const Escaped& escaped, int signal) {
  std::vector<int> all = escaped.roots;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto below = children_of(all[i]);
    for (const int pid : below ? *below : std::vector<int>()) all.push_back(pid);
  }
  for (const int pid : all) signal_descendant(pid, signal);
}

}  // namespace slipway::host
