#pragma once
// Reads small text files that an operator named: regular files only, up to a limit, without ever blocking on a FIFO.

#include <functional>
#include <string>
#include <tl/expected.hpp>

namespace slipway::config {

struct FileProblem {
  bool missing = false;  ///< nothing is there (ENOENT, ENOTDIR)
  bool refused = false;  ///< no permission
  std::string reason;    ///< "No such file or directory"
};

/// The largest environment source or template that is read.
constexpr std::size_t kMaximumFileSize = 8U << 20U;
/// The largest configuration: a hostile one of this size still takes no more than a second or two to refuse.
constexpr std::size_t kMaximumConfigurationSize = 1U << 20U;

[[nodiscard]] tl::expected<std::string, FileProblem> read_text_file(const std::string& path,
                                                                    std::size_t limit = kMaximumFileSize);

/// How a load reads its files; read_text_file() unless somebody records or replays.
using FileReader = std::function<tl::expected<std::string, FileProblem>(const std::string& path, std::size_t limit)>;

/// Replaces `path` by a file with this text and mode: a temporary name beside it, fsync, rename, fsync of the
/// directory. Interrupted at any instant, `path` is the old file or the new one.
[[nodiscard]] tl::expected<void, FileProblem> replace_file(const std::string& path, const std::string& text,
                                                           unsigned mode);

}  // namespace slipway::config
