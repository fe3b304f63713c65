#include "logging/old_logs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace slipway::logging {
namespace {

constexpr std::string_view kPattern = "dddddddd-dddddd.ddd";
constexpr std::string_view kUnfinished = ".tmp";

/// What follows the moment in the name of a rotated file; empty optional: it is not one of ours.
std::optional<std::string_view> ending_of(std::string_view file, const std::string& name) {
  if (!file.starts_with(name + ".")) return std::nullopt;
  file.remove_prefix(name.size() + 1);
  if (file.size() < kPattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < kPattern.size(); ++i) {
    const bool digit = file[i] >= '0' && file[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : file[i] != kPattern[i]) return std::nullopt;
  }
  return file.substr(kPattern.size());
}

bool is_compressed(std::string_view ending) { return ending == ".gz" || ending == ".zst"; }

struct OpenFile {
  int fd = -1;
  explicit OpenFile(int descriptor) : fd(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

std::string rotated_name(const std::string& name, std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char text[64];
  std::snprintf(text, sizeof text, ".%04d%02d%02d-%02d%02d%02d.%03d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(milliseconds % 1000));
  return name + text;
}

OldLogs::OldLogs(int directory, std::string name) : directory_(directory), name_(std::move(name)) {}

OldLogs::OldLogs(OldLogs&& other) noexcept
    : directory_(std::exchange(other.directory_, -1)), name_(std::move(other.name_)) {}

OldLogs::~OldLogs() {
  if (directory_ >= 0) ::close(directory_);
}

Result<OldLogs> OldLogs::open(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failure(ExitCode::kInternal, directory + ": " + std::strerror(errno));
  return OldLogs(fd, path.substr(slash + 1));
}

std::vector<OldLog> OldLogs::list() const {
  std::vector<OldLog> found;
  const int fd = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = fd >= 0 ? ::fdopendir(fd) : nullptr;
  if (stream == nullptr) {
    if (fd >= 0) ::close(fd);
    return found;
  }
  while (const dirent* entry = ::readdir(stream)) {
    const std::string file = entry->d_name;
    const auto ending = ending_of(file, name_);
    struct stat status{};
    if (!ending || ::fstatat(directory_, file.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (ending->ends_with(kUnfinished)) {
      ::unlinkat(directory_, file.c_str(), 0);
    } else if (S_ISREG(status.st_mode) && (ending->empty() || is_compressed(*ending))) {
      found.push_back({file, static_cast<std::uint64_t>(status.st_size), !ending->empty()});
    }
  }
  ::closedir(stream);
  std::sort(found.begin(), found.end(), [](const OldLog& a, const OldLog& b) { return a.name < b.name; });
  return found;
}

void OldLogs::prune(const Retention& retention) const {
  const std::vector<OldLog> files = list();
  struct stat current{};
  std::uint64_t total = retention.reserved;
  if (::fstatat(directory_, name_.c_str(), &current, AT_SYMLINK_NOFOLLOW) == 0) {
    total = std::max(total, static_cast<std::uint64_t>(current.st_size));
  }
  for (const OldLog& file : files) total += file.size;
  std::size_t left = files.size();
  for (const OldLog& file : files) {
    const bool many = retention.max_files > 0 && left > retention.max_files;
    const bool much = retention.max_total > 0 && total > retention.max_total;
    if (!many && !much) return;
    ::unlinkat(directory_, file.name.c_str(), 0);
    --left;
    total -= file.size;
  }
}

Result<void> OldLogs::compress(const std::string& name, const std::string& suffix, const Compressor& compressor) const {
  const auto wrong = [&](const char* what) {
    return failure(ExitCode::kInternal, name + ": " + what + ": " + std::strerror(errno));
  };
  const OpenFile from(::openat(directory_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (from.fd < 0 || ::fstat(from.fd, &status) != 0) return wrong("open");
  const std::string unfinished = name + suffix + std::string(kUnfinished);
  const OpenFile to(
      ::openat(directory_, unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (to.fd < 0) return wrong("create the compressed file");
  Result<void> done = compressor(from.fd, to.fd);
  if (done && (::fchown(to.fd, static_cast<uid_t>(-1), status.st_gid) != 0 || ::fchmod(to.fd, 0640) != 0)) {
    done = wrong("set the owner of the compressed file");
  }
  if (done && ::fsync(to.fd) != 0) done = wrong("write the compressed file");
  if (done && ::renameat(directory_, unfinished.c_str(), directory_, (name + suffix).c_str()) != 0) {
    done = wrong("rename the compressed file");
  }
  if (!done) {
    ::unlinkat(directory_, unfinished.c_str(), 0);
    return done;
  }
  ::fsync(directory_);
  ::unlinkat(directory_, name.c_str(), 0);
  return {};
}

}  // namespace slipway::logging
