#include "database/sqlite/file_system.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/vfs.h>
#include <system_error>

namespace slipway::database::sqlite {
namespace {

struct NetworkFileSystem {
  unsigned long magic;
  const char* name;
};

// statfs(2) and linux/magic.h.
constexpr unsigned long kFuse = 0x65735546;
constexpr std::array kNetwork{
    NetworkFileSystem{0x6969, "NFS"},        NetworkFileSystem{0xFF534D42, "CIFS"},
    NetworkFileSystem{0xFE534D42, "SMB2"},   NetworkFileSystem{0x517B, "SMB"},
    NetworkFileSystem{0x01021997, "9p"},     NetworkFileSystem{0x00C36400, "Ceph"},
    NetworkFileSystem{0x5346414F, "AFS"},    NetworkFileSystem{0x6B414653, "AFS"},
    NetworkFileSystem{0x73757245, "Coda"},   NetworkFileSystem{0x47504653, "GPFS"},
    NetworkFileSystem{0x0BD00BD0, "Lustre"}, NetworkFileSystem{0x7461636F, "OCFS2"},
    NetworkFileSystem{0x01161970, "GFS2"},   NetworkFileSystem{0xAAD7AAEA, "PanFS"},
    NetworkFileSystem{0x786F4256, "vboxsf"}, NetworkFileSystem{0xBACBACBC, "VMware shared folder"},
};
// FUSE on this machine's own disks and memory.
constexpr std::array kLocalFuse{"fuseblk", "fuse.fuse-overlayfs", "fuse.ext4", "fuse.lxcfs", "virtiofs"};

/// Mount points in mountinfo have blanks and backslashes as \ooo.
std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>(((text[i + 1] - '0') << 6) + ((text[i + 2] - '0') << 3) + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool is_below(const std::string& path, const std::string& mount) {
  return mount == "/" || path == mount || (path.starts_with(mount) && path[mount.size()] == '/');
}

}  // namespace

std::optional<std::string> unsuitable_for_wal(unsigned long magic, const std::string& type) {
  for (const auto& each : kNetwork) {
    if (each.magic == magic) return each.name;
  }
  if (magic != kFuse) return {};
  for (const char* local : kLocalFuse) {
    if (type == local) return {};
  }
  return type.empty() ? "FUSE" : type;
}

std::string mount_type(const std::string& mountinfo, const std::string& path) {
  std::istringstream lines(mountinfo);
  std::string best_mount;
  std::string best_type;
  for (std::string line; std::getline(lines, line);) {
    // proc(5): id parent major:minor root mount-point options [optional...] - type source options
    std::istringstream words(line);
    std::string skip;
    std::string mount;
    words >> skip >> skip >> skip >> skip >> mount;
    mount = unescape(mount);
    const auto dash = line.find(" - ");
    if (dash == std::string::npos || !is_below(path, mount) || mount.size() < best_mount.size()) continue;
    best_mount = mount;
    best_type = line.substr(dash + 3, line.find(' ', dash + 3) - dash - 3);
  }
  return best_type;
}

std::optional<std::string> unsuitable_for_wal(const std::string& path) {
  struct statfs status{};
  if (::statfs(path.c_str(), &status) != 0) return {};
  std::string type;
  // statfs's field is signed on some architectures and 64 bits wide on others.
  const auto magic = static_cast<unsigned long>(static_cast<unsigned int>(status.f_type));
  if (magic == kFuse) {
    std::ifstream file("/proc/self/mountinfo");
    std::ostringstream text;
    text << file.rdbuf();
    std::error_code error;
    type = mount_type(text.str(), std::filesystem::canonical(path, error).string());
  }
  return unsuitable_for_wal(magic, type);
}

}  // namespace slipway::database::sqlite
