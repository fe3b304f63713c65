#pragma once
// A log file of one or several workers: appended to, rotated by size and age, and never a reason to stop. A rotated
// file is named after the moment, `web.log.20261121-084000.123`, by one rename; whoever compresses and removes old ones
// does it elsewhere (old_logs.hpp). A file that an external logrotate renamed or removed is opened again within a
// second.
//
// Writes go to the page cache. A disk that fails (ENOSPC, EIO) costs the lines of this file, counted, until it works
// again; one that hangs inside write(2) would hold PID 1, so log files belong on a local file system.
//
// The directory may be the worker's own, so nothing in it is trusted: a symbolic link, a second hard link or anything
// but a regular file is refused.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "logging/sink.hpp"

namespace slipway::logging {

struct LogFileSettings {
  std::string path;                     ///< absolute
  std::uint64_t max_size = 0;           ///< bytes; 0: no limit
  std::chrono::milliseconds max_age{};  ///< 0: no limit
  std::optional<gid_t> group;           ///< of a new file; its mode is 0640
};

class LogFile final : public Sink {
 public:
  using Time = std::chrono::system_clock::time_point;
  /// Called in the middle of writing: they must not use this file.
  struct Events {
    std::function<void()> rotated;
    /// Once per failure: from now on lines are lost, or the file grows because it cannot be renamed.
    std::function<void(const std::string& reason)> failed;
    /// Once, when it works again.
    std::function<void(std::uint64_t lost_lines, std::uint64_t lost_bytes)> recovered;
  };

  LogFile(LogFileSettings settings, Events events);
  ~LogFile() override;
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Other limits from now on.
  void limit(std::uint64_t max_size, std::chrono::milliseconds max_age) {
    settings_.max_size = max_size;
    settings_.max_age = max_age;
  }
  /// Call before the writes of one batch: opens the file where needed, looks once a second whether it is still there,
  /// and tries again once a second after a failure.
  void begin(Time now);
  /// A line of so many bytes should go to a new file; `pending` are those that the caller still holds back. Only
  /// between lines.
  [[nodiscard]] bool due(std::uint64_t pending, std::uint64_t line) const {
    const std::uint64_t before = size_ + pending;
    if (fd_ < 0 || before == 0 || !may_rotate_) return false;
    return (settings_.max_size > 0 && before + line > settings_.max_size) || aged_;
  }
  void rotate();
  void write(const iovec* pieces, std::size_t count) override;
  [[nodiscard]] bool at_line_start() const override { return line_start_; }

 private:
  bool open();
  int open_in_directory();
  bool open_directory();
  [[nodiscard]] bool still_there();
  [[nodiscard]] bool rename_aside();
  [[nodiscard]] std::string check(int fd);
  std::size_t write_some(const iovec* pieces, std::size_t count);
  void lose(const iovec* pieces, std::size_t count, std::size_t skip);
  void fail(const std::string& what, int error);
  void recover();

  LogFileSettings settings_;
  Events events_;
  std::string directory_;
  std::string name_;
  int directory_fd_ = -1;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  Time born_;
  Time now_;
  Time looked_;  ///< when the file was last compared with its name, or an opening tried
  bool aged_ = false;
  bool may_rotate_ = true;
  bool line_start_ = true;  ///< of what was accepted, written or lost
  bool torn_ = false;       ///< the file itself ends within a line whose rest is lost
  bool failed_ = false;
  bool stuck_ = false;  ///< it could not be renamed
  std::uint64_t lost_lines_ = 0;
  std::uint64_t lost_bytes_ = 0;
};

}  // namespace slipway::logging
