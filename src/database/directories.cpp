#include "database/directories.hpp"

#include <optional>
#include <unistd.h>

#include "host/files.hpp"

namespace slipway::database {

Result<void> make_directories(const std::string& path, mode_t mode, const host::Identity& owner) {
  const auto given = ::geteuid() == 0 ? std::optional(host::Owner{owner.uid, owner.gid}) : std::nullopt;
  auto made = host::make_directories(path, mode, given);
  if (made) return {};
  const std::string text = path + ": cannot create the directory: " + made.error().message;
  if (made.error().code == ExitCode::kPermission) {
    return failure(ExitCode::kPermission,
                   text + ": mount a volume there that the user with id " + std::to_string(::geteuid()) + " can write");
  }
  return failure(ExitCode::kClusterRefused, text + ": remove what is in the way, or name another directory");
}

}  // namespace slipway::database
