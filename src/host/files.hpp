#pragma once
// Files that others rely on: written whole or not at all, and still there after a power cut. Plain blocking calls, for
// the small files of PID 1 and for slipway-db.

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "config/error.hpp"

namespace slipway::host {

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
};

/// Replaces `path` by a file with this content: a temporary file in the same directory, mode and owner set before the
/// content is visible, fsync, rename, fsync of the directory. A crash at any instant leaves the old file or the new
/// one, at worst with a hidden temporary file beside it. The directory must exist.
[[nodiscard]] Result<void> atomic_write(const std::string& path, std::string_view content, mode_t mode,
                                        std::optional<Owner> owner = {});

/// Creates what is missing of a path. Only directories created here get the mode and the owner; existing ones are
/// left as they are. Errors: something on the way is not a directory; mkdir(2), chown(2).
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode, std::optional<Owner> owner = {});

/// Gives a complete file its final name unless something has that name already: 0, EEXIST, or errno of link(2). The
/// directory is not synced.
[[nodiscard]] int rename_new(const std::string& from, const std::string& to);

/// Removes a file and makes that durable. A file that is not there is not an error.
[[nodiscard]] Result<void> remove_file(const std::string& path);

/// fsync(2) of a directory, after entries were created, renamed or removed in it.
[[nodiscard]] Result<void> sync_directory(const std::string& path);

/// The whole content of a regular file, at most `limit` bytes. Errors: missing, too large, not a file.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

/// "open /x: Permission denied", with the exit code that fits errno.
[[nodiscard]] Error system_error(std::string_view what, const std::string& path, int error);

}  // namespace slipway::host
