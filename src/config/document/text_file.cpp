#include "config/document/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace slipway::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

tl::unexpected<FileProblem> system_problem(int error) {
  return tl::unexpected(
      FileProblem{error == ENOENT || error == ENOTDIR, error == EACCES || error == EPERM, std::strerror(error)});
}

tl::unexpected<FileProblem> other_problem(std::string reason) {
  return tl::unexpected(FileProblem{false, false, std::move(reason)});
}

/// 0, or errno.
int write_all(int file, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += static_cast<std::size_t>(written);
  }
  return 0;
}

int fill_temporary(int file, const std::string& text, unsigned mode) {
  if (::fchmod(file, mode) != 0) return errno;
  if (const int error = write_all(file, text); error != 0) return error;
  return ::fsync(file) == 0 ? 0 : errno;
}

}  // namespace

tl::expected<std::string, FileProblem> read_text_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return system_problem(errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_problem(errno);
  if (S_ISDIR(status.st_mode)) return other_problem("it is a directory, expected a file");
  if (!S_ISREG(status.st_mode)) return other_problem("it is not a regular file");
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_problem(errno);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > limit) return other_problem("it is larger than " + std::to_string(limit >> 20U) + " MiB");
  }
}

tl::expected<void, FileProblem> replace_file(const std::string& path, const std::string& text, unsigned mode) {
  std::string temporary = path + ".slipway-XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return system_problem(errno);
  int error = fill_temporary(file.get(), text, mode);
  if (error == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return system_problem(error);
  }
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) ::fsync(parent.get());  // some file systems refuse this; the rename itself is done
  return {};
}

}  // namespace slipway::config
