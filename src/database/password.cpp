#include "database/password.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "host/descriptor.hpp"
#include "host/files.hpp"

namespace slipway::database {
namespace {

constexpr std::size_t kLongestPassword = 64UL * 1024;
constexpr const char* kFileName = "/postgres.password";

std::string reason(int error) { return std::generic_category().message(error); }

bool is_permission(int error) { return error == EACCES || error == EPERM || error == EROFS; }

tl::unexpected<Error> unreadable(const std::string& key, const std::string& path, int error) {
  if (is_permission(error)) {
    return failure(ExitCode::kPermission, key + ": " + path + ": " + reason(error) + ": let the user with id " +
                                              std::to_string(::geteuid()) + " read it");
  }
  return failure(ExitCode::kConfiguration, key + ": " + path + ": " + reason(error) + ": name a readable file");
}

Result<std::string> read_all(int fd, const std::string& key, const std::string& path) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(key, path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLongestPassword) {
      return failure(ExitCode::kConfiguration, key + ": " + path + ": longer than 64 KiB: that is not a password");
    }
  }
}

bool write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = ::write(fd, text.data() + done, text.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    done += static_cast<std::size_t>(put);
  }
  return ::fsync(fd) == 0;
}

tl::unexpected<Error> cannot_keep(const std::string& state_dir, int error) {
  return failure(is_permission(error) ? ExitCode::kPermission : ExitCode::kClusterRefused,
                 "state_dir: " + state_dir + ": cannot keep the generated PostgreSQL password: " + reason(error) +
                     ": make it a writable volume for the user with id " + std::to_string(::geteuid()) +
                     ", or set database.postgres.password or password_file");
}

/// 256 bits as letters, digits, `-` and `_`.
Result<std::string> random_text() {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 43> bytes{};
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::getrandom(bytes.data() + done, bytes.size() - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(ExitCode::kInternal, "getrandom: " + reason(errno) + ": the kernel gave no randomness");
    done += static_cast<std::size_t>(got);
  }
  std::string text;
  for (const unsigned char byte : bytes) text += kAlphabet[byte & 63U];
  return text;
}

Result<void> create(const std::string& state_dir, const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(state_dir, error);
  if (error) return cannot_keep(state_dir, error.value());
  auto name = random_text();
  auto password = random_text();
  if (!name) return tl::unexpected(name.error());
  if (!password) return tl::unexpected(password.error());
  const std::string temporary = path + ".new-" + name->substr(0, 12);
  int failed = 0;
  {
    const host::Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return cannot_keep(state_dir, errno);
    // The umask may have taken bits away; nothing may have been added.
    if (::fchmod(fd.get(), 0600) != 0 || !write_all(fd.get(), *password + "\n")) failed = errno;
  }
  if (failed == 0) failed = host::rename_new(temporary, path);
  ::unlink(temporary.c_str());
  // Another process that was first has made the same promise.
  if (failed != 0 && failed != EEXIST) return cannot_keep(state_dir, failed);
  return host::sync_directory(state_dir);
}

}  // namespace

Result<config::Secret> read_password_file(const std::string& path, const std::string& key) {
  const host::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return unreadable(key, path, errno);
  auto text = read_all(fd.get(), key, path);
  if (!text) return tl::unexpected(text.error());
  if (text->ends_with('\n')) text->pop_back();
  if (text->ends_with('\r')) text->pop_back();
  if (text->empty())
    return failure(ExitCode::kConfiguration, key + ": " + path + ": is empty: write the password there");
  if (text->find('\0') != std::string::npos) {
    return failure(ExitCode::kConfiguration, key + ": " + path + ": contains a zero byte: that is not a password");
  }
  return config::Secret(std::move(*text));
}

Result<config::Secret> existing_generated_password(const std::string& state_dir) {
  const std::string path = state_dir + kFileName;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return config::Secret();
    return unreadable("state_dir", path, errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return failure(ExitCode::kClusterRefused, "state_dir: " + path + ": is not a plain file: remove it");
  }
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return failure(ExitCode::kPermission, "state_dir: " + path + ": belongs to the user with id " +
                                              std::to_string(status.st_uid) + ": run as that user, or chown it to " +
                                              std::to_string(::geteuid()));
  }
  return read_password_file(path, "state_dir");
}

namespace {

/// Somebody may have widened it (a chmod -R on the volume). Where it is not ours to change, it is at least unchanged.
void tighten(const std::string& path) {
  const host::Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (!fd || ::fstat(fd.get(), &status) != 0 || (status.st_mode & 07177U) == 0) return;
  const bool done = ::fchmod(fd.get(), 0600) == 0;
  static_cast<void>(done);
}

}  // namespace

Result<config::Secret> generated_password(const std::string& state_dir) {
  auto existing = existing_generated_password(state_dir);
  if (existing && !existing->empty()) tighten(state_dir + kFileName);
  if (!existing || !existing->empty()) return existing;
  if (auto created = create(state_dir, state_dir + kFileName); !created) return tl::unexpected(created.error());
  // Read back, because another process may have been first.
  return existing_generated_password(state_dir);
}

}  // namespace slipway::database
