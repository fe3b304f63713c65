#include "database/postgres/postmaster_pid.hpp"

#include <array>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

/// Empty when the process is gone or its executable is not ours to see.
std::string executable(const std::string& process) {
  std::array<char, PATH_MAX> target{};
  const auto size = readlink((process + "/exe").c_str(), target.data(), target.size());
  if (size <= 0) return {};
  auto path = std::string(target.data(), static_cast<std::size_t>(size));
  if (path.ends_with(" (deleted)")) path.resize(path.size() - 10);
  return path.substr(path.rfind('/') + 1);
}

bool is_postmaster(const std::string& name) { return name == "postgres" || name == "postmaster"; }

/// A postmaster and its children work inside their data directory.
bool works_in(const std::string& process, const std::string& data_dir) {
  struct stat its{};
  struct stat ours{};
  return stat((process + "/cwd").c_str(), &its) == 0 && stat(data_dir.c_str(), &ours) == 0 &&
         its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

enum class Holder { kFree, kStale, kUnknown, kRunning };

struct LockFile {
  std::string path;
  long pid = 0;  ///< 0: there is none in the file
  Holder holder = Holder::kFree;
};

LockFile judge(const std::string& path, const std::string& text, const std::string& data_dir) {
  LockFile file{path};
  std::from_chars(text.data(), text.data() + text.size(), file.pid);
  file.pid = std::labs(file.pid);  // a standalone backend writes its pid negated
  const auto process = "/proc/" + std::to_string(file.pid);
  if (file.pid > 0 && !exists(process)) return file;
  const auto name = file.pid > 0 ? executable(process) : std::string();
  if (is_postmaster(name) && works_in(process, data_dir)) {
    file.holder = Holder::kRunning;
  } else {
    // Another user's process: PostgreSQL itself knows that a process it may not signal is not its own.
    file.holder = file.pid > 0 && name.empty() ? Holder::kUnknown : Holder::kStale;
  }
  return file;
}

tl::unexpected<Error> running(const LockFile& file, const std::string& data_dir) {
  return failure(ExitCode::kClusterRefused, file.path + ": the server of " + data_dir + " is running (pid " +
                                                std::to_string(file.pid) + "): stop it, or name another directory");
}

Result<bool> remove_stale(const std::string& path) {
  if (unlink(path.c_str()) != 0) return system_failure(path, "stale, and cannot be removed");
  return true;
}

}  // namespace

Result<void> refuse_running_server(const std::string& data_dir) {
  const auto path = data_dir + "/postmaster.pid";
  if (!exists(path)) return {};
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  const auto file = judge(path, *text, data_dir);
  if (file.holder == Holder::kRunning) return running(file, data_dir);
  return {};
}

Result<bool> take_over_postmaster_pid(const std::string& data_dir, const OsIdentity& identity) {
  const auto path = data_dir + "/postmaster.pid";
  if (!exists(path)) return false;
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  const auto file = judge(path, *text, data_dir);
  if (file.holder == Holder::kRunning) return running(file, data_dir);
  if (file.holder != Holder::kStale) return false;
  if (file.pid == 0) return remove_stale(path);
  const auto rest = text->find('\n');
  auto own = std::to_string(getpid()) + (rest == std::string::npos ? "\n" : text->substr(rest));
  auto replaced = replace_file(path, own, 0600, identity.uid, identity.gid);
  if (!replaced) return tl::unexpected(replaced.error());
  return true;
}

Result<bool> clear_stale_socket_lock(const std::string& path) {
  if (!exists(path)) return false;
  auto text = read_file(path);
  if (!text) return false;  // another user's: PostgreSQL will say so if it matters
  const auto first = text->find('\n');
  const auto second = first == std::string::npos ? first : text->find('\n', first + 1);
  const auto data_dir = first == std::string::npos ? "" : text->substr(first + 1, second - first - 1);
  const auto file = judge(path, *text, data_dir);
  if (file.holder == Holder::kRunning) return running(file, data_dir);
  return file.holder == Holder::kStale ? remove_stale(path) : Result<bool>(false);
}

}  // namespace slipway::database::postgres
