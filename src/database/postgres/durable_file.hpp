#pragma once
// Files and directories whose changes survive a crash: written to a temporary name, fsynced, renamed, parent fsynced.

#include <string>
#include <sys/types.h>

#include "config/error.hpp"

namespace slipway::database::postgres {

/// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }

 private:
  int number_;
};

/// "PATH: WHAT: strerror(errno)", with the exit code that fits: 77 for EACCES and EPERM, else `code`.
[[nodiscard]] tl::unexpected<Error> system_failure(const std::string& path, const std::string& what,
                                                   ExitCode code = ExitCode::kInternal);

/// Whole or not at all. `owner` -1 keeps the caller's.
[[nodiscard]] Result<void> replace_file(const std::string& path, const std::string& text, mode_t mode,
                                        uid_t owner = static_cast<uid_t>(-1), gid_t group = static_cast<gid_t>(-1));
/// Everything in the file; an error when it cannot be read.
[[nodiscard]] Result<std::string> read_file(const std::string& path);
/// fsync(2) of a directory or a file.
[[nodiscard]] Result<void> sync_path(const std::string& path);
/// rm -rf without following links; an absent path is fine.
[[nodiscard]] Result<void> remove_tree(const std::string& path);
/// Owner (`owner` -1 keeps it) and mode of a directory, through a descriptor: in a directory that others can write, the
/// name may lead somewhere else a moment later. Never follows a link. Returns errno, or 0.
[[nodiscard]] int own_directory(const std::string& path, uid_t owner, gid_t group, mode_t mode);
[[nodiscard]] bool exists(const std::string& path);
[[nodiscard]] std::string parent_of(const std::string& path);

/// An exclusive flock(2) on a directory, shared with every child that inherits the descriptor: the lock of a killed
/// program lives as long as what it started. On file systems without flock the lock is always granted.
/// `wait_milliseconds` bounds the wait; an empty Descriptor means that somebody else holds it.
[[nodiscard]] Result<Descriptor> lock_directory(const std::string& path, int wait_milliseconds);

}  // namespace slipway::database::postgres
