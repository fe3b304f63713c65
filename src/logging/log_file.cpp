#include "logging/log_file.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "logging/old_logs.hpp"

namespace slipway::logging {
namespace {

constexpr std::chrono::seconds kPause{1};
constexpr mode_t kMode = 0640;
constexpr mode_t kDirectoryMode = 0755;

/// The directories that are missing; that it worked shows in opening the last.
void make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    ::mkdir(path.substr(0, slash).c_str(), kDirectoryMode);
  }
  ::mkdir(path.c_str(), kDirectoryMode);
}

LogFile::Time birth_of(int fd, LogFile::Time otherwise) {
  struct statx status{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0 || (status.stx_mask & STATX_BTIME) == 0) {
    return otherwise;
  }
  return LogFile::Time(std::chrono::seconds(status.stx_btime.tv_sec));
}

bool ends_in_newline(int fd, std::uint64_t size) {
  char last = '\n';
  return size == 0 || ::pread(fd, &last, 1, static_cast<off_t>(size - 1)) != 1 || last == '\n';
}

int rename_anew(int directory, const std::string& from, const std::string& to) {
  if (::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without it. Nobody else names files like this one.
  if (::faccessat(directory, to.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  return ::renameat(directory, from.c_str(), directory, to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

LogFile::LogFile(LogFileSettings settings, Events events) : settings_(std::move(settings)), events_(std::move(events)) {
  const std::size_t slash = settings_.path.rfind('/');
  directory_ = slash == 0 ? "/" : settings_.path.substr(0, slash);
  name_ = settings_.path.substr(slash + 1);
}

LogFile::~LogFile() {
  if (fd_ >= 0) ::close(fd_);
  if (directory_fd_ >= 0) ::close(directory_fd_);
}

void LogFile::begin(Time now) {
  now_ = now;
  // A clock that was set back must not stop the looking.
  const bool look = now_ - looked_ >= kPause || now_ < looked_;
  if (look) {
    looked_ = now_;
    may_rotate_ = true;
    if (fd_ >= 0 && !still_there()) ::close(std::exchange(fd_, -1));
    if (fd_ < 0) open();
  }
  aged_ = settings_.max_age.count() > 0 && now_ - born_ >= settings_.max_age;
}

/// Renamed or removed by others, it is no longer ours; emptied in place (copytruncate), it is.
bool LogFile::still_there() {
  struct stat named{};
  struct stat held{};
  if (::fstat(fd_, &held) == 0) size_ = static_cast<std::uint64_t>(held.st_size);
  if (::fstatat(directory_fd_, name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) return errno != ENOENT;
  return named.st_dev == device_ && named.st_ino == inode_;
}

bool LogFile::open_directory() {
  const int fd = ::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  if (directory_fd_ >= 0) ::close(directory_fd_);
  directory_fd_ = fd;
  return true;
}

int LogFile::open_in_directory() {
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  int fd = ::openat(directory_fd_, name_.c_str(), kFlags | O_CREAT | O_EXCL, kMode);
  if (fd < 0) return errno == EEXIST ? ::openat(directory_fd_, name_.c_str(), kFlags) : fd;
  ::fchmod(fd, kMode);  // whatever the umask
  if (settings_.group && ::fchown(fd, static_cast<uid_t>(-1), *settings_.group) != 0) {
    // Not ours to give away: then it stays with our own group.
  }
  return fd;
}

bool LogFile::open() {
  if (directory_fd_ < 0 && !open_directory()) {
    if (errno == ENOENT) make_directories(directory_);
    if (!open_directory()) return fail("its directory cannot be opened", errno), false;
  }
  int fd = open_in_directory();
  // The directory that was opened is gone, and perhaps there is another one by now.
  if (fd < 0 && errno == ENOENT) {
    make_directories(directory_);
    if (open_directory()) fd = open_in_directory();
  }
  if (fd < 0) return fail(errno == ELOOP ? "it is a symbolic link" : "it cannot be opened", errno), false;
  if (const std::string wrong = check(fd); !wrong.empty()) {
    ::close(fd);
    return fail(wrong, 0), false;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  born_ = size_ > 0 ? birth_of(fd, now_) : now_;
  aged_ = false;
  torn_ = !ends_in_newline(fd, size_);
  return true;
}

std::string LogFile::check(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return "it is not a regular file";
  if (status.st_nlink > 1) return "it has other hard links";
  size_ = static_cast<std::uint64_t>(status.st_size);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return {};
}

bool LogFile::rename_aside() {
  int error = EEXIST;
  for (int later = 0; error == EEXIST && later < 100; ++later) {
    error = rename_anew(directory_fd_, name_, rotated_name(name_, now_ + std::chrono::milliseconds(later)));
  }
  if (error != 0 && !std::exchange(stuck_, true) && events_.failed) {
    events_.failed(std::string("it cannot be renamed and grows on: ") + std::strerror(error));
  }
  stuck_ = error != 0;
  return error == 0;
}

void LogFile::rotate() {
  if (!still_there()) {
    open();
    return;
  }
  may_rotate_ = false;  // not again before the next look, whatever happens now
  if (!rename_aside()) return;
  // Until the new file can be opened, lines go on into the old one: nothing is lost.
  if (!open()) return;
  may_rotate_ = true;
  if (events_.rotated) events_.rotated();
}

void LogFile::write(const iovec* pieces, std::size_t count) {
  while (count > 0 && pieces[count - 1].iov_len == 0) --count;
  if (count == 0) return;
  const char newline = '\n';
  if (fd_ >= 0 && torn_ && ::write(fd_, &newline, 1) == 1) {
    torn_ = false;
    ++size_;
  }
  std::size_t all = 0;
  for (std::size_t i = 0; i < count; ++i) all += pieces[i].iov_len;
  const std::size_t done = write_some(pieces, count);
  if (done < all) lose(pieces, count, done);
  const iovec& last = pieces[count - 1];
  line_start_ = static_cast<const char*>(last.iov_base)[last.iov_len - 1] == '\n';
  if (done == all && failed_) recover();
}

/// Returns how many bytes got in.
std::size_t LogFile::write_some(const iovec* pieces, std::size_t count) {
  std::size_t done = 0;
  std::size_t offset = 0;  // into the first piece
  while (fd_ >= 0 && !torn_ && count > 0) {
    const iovec rest{static_cast<char*>(pieces->iov_base) + offset, pieces->iov_len - offset};
    const bool whole = offset == 0;
    const int together = whole ? static_cast<int>(std::min<std::size_t>(count, IOV_MAX)) : 1;
    const ssize_t bytes = ::writev(fd_, whole ? pieces : &rest, together);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) {
      fail("it cannot be written", errno);
      break;
    }
    done += static_cast<std::size_t>(bytes);
    for (offset += static_cast<std::size_t>(bytes); count > 0 && offset >= pieces->iov_len; ++pieces, --count) {
      offset -= pieces->iov_len;
    }
  }
  size_ += done;
  return done;
}

void LogFile::lose(const iovec* pieces, std::size_t count, std::size_t skip) {
  bool within_line = !line_start_;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* data = static_cast<const char*>(pieces[i].iov_base);
    const std::size_t skipped = std::min(skip, pieces[i].iov_len);
    if (skipped > 0) within_line = data[skipped - 1] != '\n';
    skip -= skipped;
    lost_bytes_ += pieces[i].iov_len - skipped;
    lost_lines_ += static_cast<std::uint64_t>(std::count(data + skipped, data + pieces[i].iov_len, '\n'));
  }
  torn_ = fd_ >= 0 && (torn_ || within_line);
}

void LogFile::fail(const std::string& what, int error) {
  if (std::exchange(failed_, true) || !events_.failed) return;
  events_.failed(error == 0 ? what : what + ": " + std::strerror(error));
}

void LogFile::recover() {
  failed_ = false;
  const std::uint64_t lines = std::exchange(lost_lines_, 0);
  if (events_.recovered) events_.recovered(lines, std::exchange(lost_bytes_, 0));
}

}  // namespace slipway::logging
