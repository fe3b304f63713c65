#include "host/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/descriptor.hpp"

namespace slipway::host {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

tl::unexpected<Error> refused(std::string_view what, const std::string& path) {
  return tl::unexpected<Error>(system_error(what, path, errno));
}

/// Hidden, so that those who list the directory do not take it for a finished file.
std::string temporary_name(const std::string& path) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) < 0) random = static_cast<std::uint64_t>(::getpid());
  char suffix[24];
  std::snprintf(suffix, sizeof suffix, ".%016llx", static_cast<unsigned long long>(random));
  const std::size_t slash = path.rfind('/');
  const std::size_t name = slash == std::string::npos ? 0 : slash + 1;
  // The prefix of a long name is enough: NAME_MAX counts the suffix too.
  return path.substr(0, name) + "." + path.substr(name, 200) + suffix + ".tmp";
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t bytes = ::write(fd, content.data(), content.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

Result<void> fill_temporary(const std::string& path, std::string_view content, mode_t mode,
                            const std::optional<Owner>& owner) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return refused("create", path);
  if (owner && ::fchown(file.get(), owner->uid, owner->gid) != 0) return refused("chown", path);
  if (::fchmod(file.get(), mode) != 0) return refused("chmod", path);
  if (!write_all(file.get(), content)) return refused("write", path);
  if (::fsync(file.get()) != 0) return refused("fsync", path);
  return {};
}

bool is_directory(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<void> make_directory(const std::string& path, mode_t mode, const std::optional<Owner>& owner) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (is_directory(path)) return {};
    if (errno == EEXIST) errno = ENOTDIR;
    return refused("mkdir", path);
  }
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return refused("open", path);
  if (owner && ::fchown(directory.get(), owner->uid, owner->gid) != 0) return refused("chown", path);
  if (::fchmod(directory.get(), mode) != 0) return refused("chmod", path);
  return {};
}

}  // namespace

Error system_error(std::string_view what, const std::string& path, int error) {
  const bool permission = error == EACCES || error == EPERM || error == EROFS;
  return {std::string(what) + " " + path + ": " + ::strerror(error),
          permission ? ExitCode::kPermission : ExitCode::kInternal};
}

Result<void> sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return refused("open", path);
  // Some file systems cannot sync a directory, and then need not.
  if (::fsync(directory.get()) != 0 && errno != EINVAL && errno != EROFS) return refused("fsync", path);
  return {};
}

Result<void> atomic_write(const std::string& path, std::string_view content, mode_t mode, std::optional<Owner> owner) {
  const std::string temporary = temporary_name(path);
  auto filled = fill_temporary(temporary, content, mode, owner);
  if (!filled) {
    ::unlink(temporary.c_str());
    return filled;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto error = refused("rename to", path);
    ::unlink(temporary.c_str());
    return error;
  }
  return sync_directory(parent_of(path));
}

Result<void> make_directories(const std::string& path, mode_t mode, std::optional<Owner> owner) {
  if (is_directory(path)) return {};
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string directory = path.substr(0, end);
    if (directory.empty() || directory == "/") continue;
    if (auto made = make_directory(directory, mode, owner); !made) return made;
  }
  return sync_directory(parent_of(path));
}

int rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  // File systems and kernels without it.
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return sync_directory(parent_of(path));
  // On a read-only file system nothing can be there that we wrote.
  struct stat status{};
  const int error = errno;
  if (::lstat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  errno = error;
  return refused("remove", path);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return refused("open", path);
  if (!S_ISREG(status.st_mode)) return failure(ExitCode::kInternal, "read " + path + ": not a regular file");
  std::string content;
  char buffer[16384];
  for (;;) {
    const ssize_t bytes = ::read(file.get(), buffer, sizeof buffer);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return refused("read", path);
    if (bytes == 0) return content;
    content.append(buffer, static_cast<std::size_t>(bytes));
    if (content.size() > limit) {
      return failure(ExitCode::kInternal, "read " + path + ": larger than " + std::to_string(limit) + " bytes");
    }
  }
}

}  // namespace slipway::host
