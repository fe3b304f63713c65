#include "control/socket_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace slipway::control {
namespace {

tl::unexpected<Error> system_failure(const std::string& path, const char* what, int error, const char* remedy) {
  const ExitCode code =
      error == EACCES || error == EPERM || error == EROFS ? ExitCode::kPermission : ExitCode::kInternal;
  return failure(code, path + ": " + what + ": " + std::strerror(error) + ": " + remedy);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<void> make_directories(const std::string& directory) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = directory.find('/', end + 1);
    const std::string part = directory.substr(0, end);
    if (part.empty()) continue;
    if (mkdir(part.c_str(), 0755) != 0) {
      const int error = errno;
      if (error == EEXIST || access(part.c_str(), F_OK) == 0) continue;
      return system_failure(part, "cannot make the control socket's directory", error, "set control.socket elsewhere");
    }
    (void)chmod(part.c_str(), 0755);  // whatever the umask is, others must be able to reach the socket's name
  }
  return {};
}

/// Whether somebody listens: a stale socket refuses at once, a live one accepts or has a full backlog.
bool answers(const std::string& path) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const sockaddr_un address = address_of(path);
  const int result = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool alive = result == 0 || errno == EAGAIN || errno == EINPROGRESS;
  close(probe);
  return alive;
}

Result<void> check_existing(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return system_failure(path, "cannot look at the control socket", errno, "set control.socket elsewhere");
  }
  if (!S_ISSOCK(info.st_mode)) {
    return failure(ExitCode::kConfiguration,
                   path + ": exists and is not a socket: remove it, or set control.socket elsewhere");
  }
  if (answers(path)) {
    return failure(ExitCode::kInternal, path + ": another Slipway answers on it: give this one its own control.socket");
  }
  return {};
}

}  // namespace

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      device_(other.device_),
      inode_(other.inode_) {}

SocketFile::~SocketFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (path_.empty() || inode_ == 0) return;
  struct stat info{};
  if (lstat(path_.c_str(), &info) == 0 && info.st_dev == device_ && info.st_ino == inode_) unlink(path_.c_str());
}

int SocketFile::release() { return std::exchange(descriptor_, -1); }

Result<SocketFile> SocketFile::create(const std::string& path, unsigned mode, std::optional<gid_t> group) {
  constexpr std::size_t kSuffix = 12;  // the temporary name must fit as well
  if (path.empty() || path.size() + kSuffix >= sizeof(sockaddr_un::sun_path)) {
    return failure(ExitCode::kConfiguration, "control.socket: a path of 1 to 95 bytes is needed (unix(7)), got " +
                                                 std::to_string(path.size()) + ": choose a shorter one");
  }
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (!directory.empty()) {
    if (auto made = make_directories(directory); !made) return tl::unexpected(made.error());
  }
  if (auto free = check_existing(path); !free) return tl::unexpected(free.error());
  SocketFile file(path);
  if (auto bound = file.bind_beside(mode, group); !bound) return tl::unexpected(bound.error());
  return file;
}

Result<void> SocketFile::bind_beside(unsigned mode, std::optional<gid_t> group) {
  descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return system_failure(path_, "socket", errno, "raise the limit of open files");
  const std::string temporary = path_ + "." + std::to_string(getpid() % 10000000) + "~";
  unlink(temporary.c_str());
  // bind(2) takes the file's mode from the descriptor's, less the umask: 0600 from its first instant.
  (void)fchmod(descriptor_, 0600);
  const sockaddr_un address = address_of(temporary);
  const char* step = "bind";
  bool done = bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (done && group) {
    step = "chown";
    done = lchown(temporary.c_str(), static_cast<uid_t>(-1), *group) == 0;
    mode |= 0060;  // a group that may not connect would be named in vain
  }
  if (done) {
    step = "chmod";
    done = chmod(temporary.c_str(), mode & 0777) == 0;
  }
  if (done) {
    step = "listen";
    done = listen(descriptor_, 128) == 0;
  }
  struct stat info{};
  if (done) {
    step = "rename";
    done = lstat(temporary.c_str(), &info) == 0 && rename(temporary.c_str(), path_.c_str()) == 0;
  }
  if (!done) {
    const int error = errno;
    unlink(temporary.c_str());
    return system_failure(path_, step, error, "make its directory writable, or set control.socket elsewhere");
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return {};
}

}  // namespace slipway::control
