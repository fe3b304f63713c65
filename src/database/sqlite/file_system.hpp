#pragma once
// Where a file really lives. WAL needs memory that all its processes share, which no network file system gives
// (sqlite.org/wal.html), so the file system decides whether WAL may be used.

#include <optional>
#include <string>

namespace slipway::database::sqlite {

/// The name to show when WAL must not be used on a file system of this kind: `magic` is statfs(2)'s f_type, `type` is
/// the name in /proc/self/mountinfo (needed to tell one FUSE file system from another).
[[nodiscard]] std::optional<std::string> unsuitable_for_wal(unsigned long magic, const std::string& type);

/// The same for the file system of an existing path; empty too when it cannot be asked.
[[nodiscard]] std::optional<std::string> unsuitable_for_wal(const std::string& path);

/// The type of the mount that holds `path` (absolute, without symbolic links), from the text of a mountinfo file.
[[nodiscard]] std::string mount_type(const std::string& mountinfo, const std::string& path);

}  // namespace slipway::database::sqlite
