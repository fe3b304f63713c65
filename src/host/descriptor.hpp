#pragma once
// The one owner of a file descriptor: closed once, on destruction. Move-only.

#include <unistd.h>
#include <utility>

namespace slipway::host {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
};

/// Puts /dev/null where standard input, output or error is closed, so that nothing of ours lands there and reads or
/// writes what was meant for them. Call it before anything is opened.
void fill_standard_descriptors();

/// Both ends close-on-exec and blocking. On failure both are empty and errno is pipe2(2)'s.
[[nodiscard]] Pipe make_pipe();

}  // namespace slipway::host
