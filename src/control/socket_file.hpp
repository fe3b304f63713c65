#pragma once
// The control socket as a file: made so that it is at no instant open to anybody it is not meant for, and removed only
// if it is still ours.

#include <optional>
#include <string>
#include <sys/types.h>

#include "config/error.hpp"

namespace slipway::control {

/// A listening UNIX stream socket (non-blocking, close-on-exec) and the file that names it. Move-only; the destructor
/// closes the one and removes the other.
class SocketFile {
 public:
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

  /// `group`: who gets the file's group and its read and write bits. Blocks for no longer than a local connect.
  /// Errors: something answers at `path`, `path` is no socket or too long, its directory cannot be made or written.
  [[nodiscard]] static Result<SocketFile> create(const std::string& path, unsigned mode, std::optional<gid_t> group);

  /// The descriptor, now the caller's to close. The file stays this object's.
  [[nodiscard]] int release();

 private:
  explicit SocketFile(std::string path) : path_(std::move(path)) {}
  Result<void> bind_beside(unsigned mode, std::optional<gid_t> group);

  std::string path_;
  int descriptor_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace slipway::control
