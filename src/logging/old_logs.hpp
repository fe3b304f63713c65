#pragma once
// The rotated files beside a log file: their names, removing the oldest, compressing the rest. Plain synchronous code
// for a process of its own (`slipway keep-logs`): PID 1 only names them. Interrupted at any moment, the next run goes
// on.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/error.hpp"

namespace slipway::logging {

/// `web.log.20261121-084000.123` (UTC): names sort by time.
[[nodiscard]] std::string rotated_name(const std::string& name, std::chrono::system_clock::time_point time);

struct OldLog {
  std::string name;
  std::uint64_t size = 0;
  bool compressed = false;
};

struct Retention {
  unsigned max_files = 0;       ///< 0: no limit
  std::uint64_t max_total = 0;  ///< bytes, of all files; 0: no limit
  std::uint64_t reserved = 0;   ///< bytes that the current file may still grow to
};

class OldLogs {
 public:
  /// Errors: the directory cannot be opened.
  [[nodiscard]] static Result<OldLogs> open(const std::string& path);
  ~OldLogs();
  OldLogs(OldLogs&& other) noexcept;
  OldLogs(const OldLogs&) = delete;
  OldLogs& operator=(const OldLogs&) = delete;
  OldLogs& operator=(OldLogs&&) = delete;

  /// Oldest first; what an interrupted compression left is removed.
  [[nodiscard]] std::vector<OldLog> list() const;
  /// Removes the oldest until the limits hold.
  void prune(const Retention& retention) const;

  /// Writes what it reads from `in` to `out`, smaller.
  using Compressor = std::function<Result<void>(int in, int out)>;
  /// Replaces the file by `name + suffix`, which is complete and on disk before the file goes.
  [[nodiscard]] Result<void> compress(const std::string& name, const std::string& suffix,
                                      const Compressor& compressor) const;

 private:
  OldLogs(int directory, std::string name);
  int directory_;
  std::string name_;
};

}  // namespace slipway::logging
