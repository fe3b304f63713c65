#include "database/postgres/durable_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace slipway::database::postgres {

Descriptor::~Descriptor() {
  if (number_ >= 0) close(number_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

tl::unexpected<Error> system_failure(const std::string& path, const std::string& what, ExitCode code) {
  const int error = errno;
  const bool denied = error == EACCES || error == EPERM || error == EROFS;
  return failure(denied ? ExitCode::kPermission : code, path + ": " + what + ": " + std::strerror(error));
}

Result<void> sync_path(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_failure(path, "cannot open");
  // Some network file systems refuse fsync of a directory with EINVAL; there is nothing more to be done there.
  if (fsync(file.get()) != 0 && errno != EINVAL) return system_failure(path, "cannot fsync");
  return {};
}

Result<void> replace_file(const std::string& path, const std::string& text, mode_t mode, uid_t owner, gid_t group) {
  const auto temporary = path + ".tmp";
  unlink(temporary.c_str());
  {
    const Descriptor file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return system_failure(temporary, "cannot create");
    if (fchmod(file.get(), mode) != 0) return system_failure(temporary, "cannot set the mode");
    if (owner != static_cast<uid_t>(-1) && geteuid() == 0 && fchown(file.get(), owner, group) != 0) {
      return system_failure(temporary, "cannot set the owner");
    }
    std::size_t done = 0;
    while (done < text.size()) {
      const auto count = write(file.get(), text.data() + done, text.size() - done);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_failure(temporary, "cannot write");
      done += static_cast<std::size_t>(count);
    }
    if (fsync(file.get()) != 0) return system_failure(temporary, "cannot fsync");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return system_failure(path, "cannot rename into place");
  return sync_path(parent_of(path));
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return system_failure(path, "cannot read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<void> remove_tree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (!error) return {};
  errno = error.value();
  return system_failure(path, "cannot remove");
}

int own_directory(const std::string& path, uid_t owner, gid_t group, mode_t mode) {
  const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return errno;
  if (owner != static_cast<uid_t>(-1) && fchown(directory.get(), owner, group) != 0) return errno;
  return fchmod(directory.get(), mode) == 0 ? 0 : errno;
}

bool exists(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0;
}

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<Descriptor> lock_directory(const std::string& path, int wait_milliseconds) {
  // Not O_CLOEXEC in effect for the children that matter: they are told to keep it (child.hpp).
  Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return system_failure(path, "cannot open");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_milliseconds);
  while (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return directory;
    if (std::chrono::steady_clock::now() >= deadline) return Descriptor();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return directory;
}

}  // namespace slipway::database::postgres
