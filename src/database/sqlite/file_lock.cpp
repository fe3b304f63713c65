#include "database/sqlite/file_lock.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace slipway::database::sqlite {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kFirstPause = std::chrono::milliseconds(5);
constexpr auto kLongestPause = std::chrono::milliseconds(100);

std::string reason(int error) { return std::generic_category().message(error); }

/// What the holder wrote about itself.
std::string holder(int fd) {
  std::array<char, 256> buffer{};
  const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), 0);
  std::string text(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  text = text.substr(0, text.find('\n'));
  return text.empty() ? "another process" : text;
}

void sign(int fd) {
  std::array<char, 128> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::string text = "pid " + std::to_string(::getpid()) + " on " + host.data() + "\n";
  // Only for people: a full disk must not prevent the lock.
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

Result<host::Descriptor> open_lock_file(const std::string& path) {
  host::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660));
  if (!file) {
    return failure(ExitCode::kPermission, path + ": cannot open the lock file: " + reason(errno) +
                                              ": let the user with id " + std::to_string(::geteuid()) +
                                              " write to the directory, or remove what is in the way");
  }
  return file;
}

}  // namespace

std::string lock_path(const std::string& database) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(database, error);
  return (error ? database : real.string()) + ".slipway-lock";
}

Result<FileLock> FileLock::acquire(const std::string& database, config::Duration timeout, const Report& report) {
  const std::string path = lock_path(database);
  auto file = open_lock_file(path);
  if (!file) return tl::unexpected(file.error());
  const auto deadline = Clock::now() + timeout;
  auto pause = kFirstPause;
  for (bool first = true; ::flock(file->get(), LOCK_EX | LOCK_NB) != 0; first = false) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) {
      return failure(ExitCode::kInternal, path + ": cannot lock: " + reason(errno) + ": use a local file system");
    }
    if (Clock::now() >= deadline) {
      return failure(ExitCode::kLockTimeout,
                     path + ": " + holder(file->get()) + " has held the migration lock for longer than " +
                         std::to_string(timeout.count()) +
                         " ms: wait for it to finish, end it, or raise migrations.lock.timeout");
    }
    if (first) say(report, "waiting for the migration lock, held by " + holder(file->get()));
    ::poll(nullptr, 0, static_cast<int>(pause.count()));
    pause = std::min(pause * 2, kLongestPause);
  }
  sign(file->get());
  return FileLock(std::move(*file));
}

FileLock::~FileLock() {
  if (!file_) return;
  // Only for people, so a failure does not matter: a name that is gone would mislead the next who waits.
  const bool cleared = ::ftruncate(file_.get(), 0) == 0;
  static_cast<void>(cleared);
  ::flock(file_.get(), LOCK_UN);
}

}  // namespace slipway::database::sqlite
