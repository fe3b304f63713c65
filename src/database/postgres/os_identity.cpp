#include "database/postgres/os_identity.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <glob.h>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sstream>
#include <unistd.h>

#include "database/postgres/durable_file.hpp"

namespace slipway::database::postgres {
namespace {

struct Entry {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};

template <typename Lookup>
std::optional<Entry> passwd_entry(Lookup lookup) {
  std::vector<char> buffer(16384);
  passwd found{};
  passwd* result = nullptr;
  if (lookup(&found, buffer.data(), buffer.size(), &result) != 0 || result == nullptr) return std::nullopt;
  return Entry{found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir};
}

std::optional<Entry> entry_of(uid_t uid) {
  return passwd_entry([&](auto... rest) { return getpwuid_r(uid, rest...); });
}

std::optional<Entry> entry_of(const std::string& name) {
  return passwd_entry([&](auto... rest) { return getpwnam_r(name.c_str(), rest...); });
}

std::vector<gid_t> groups_of(const Entry& entry) {
  int count = 256;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (getgrouplist(entry.name.c_str(), entry.gid, groups.data(), &count) < 0) return {entry.gid};
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::string wrapper_library() {
  for (const char* pattern :
       {"/usr/lib/*/libnss_wrapper.so", "/usr/lib/libnss_wrapper.so", "/usr/lib64/libnss_wrapper.so"}) {
    glob_t found{};
    std::string path;
    if (glob(pattern, 0, nullptr, &found) == 0 && found.gl_pathc > 0) path = found.gl_pathv[0];
    globfree(&found);
    if (!path.empty()) return path;
  }
  return {};
}

std::string contents(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  auto result = text.str();
  if (!result.empty() && result.back() != '\n') result += '\n';
  return result;
}

}  // namespace

Result<OsIdentity> cluster_identity(const std::string& os_user) {
  OsIdentity identity;
  if (geteuid() == 0) {
    const auto entry = entry_of(os_user);
    if (!entry) {
      return failure(ExitCode::kConfiguration, "database.postgres.cluster.os_user: there is no user \"" + os_user +
                                                   "\": create it, or name the one PostgreSQL shall run as");
    }
    if (entry->uid == 0) {
      return failure(ExitCode::kConfiguration,
                     "database.postgres.cluster.os_user: PostgreSQL does not run as root: name another user");
    }
    return OsIdentity{entry->uid, entry->gid, groups_of(*entry), entry->name, entry->home, true, true};
  }
  identity.uid = geteuid();
  identity.gid = getegid();
  if (const auto entry = entry_of(identity.uid)) {
    identity.name = entry->name;
    identity.home = entry->home;
    return identity;
  }
  identity.has_passwd_entry = false;
  identity.name = entry_of(std::string("postgres")) ? "slipway" : "postgres";
  return identity;
}

std::string own_peer_name(const OsIdentity& identity) {
  if (!identity.switches) return identity.name;
  const auto entry = entry_of(geteuid());
  return entry ? entry->name : "root";
}

Result<config::StringMap> name_service_environment(const OsIdentity& identity, const std::string& directory) {
  if (identity.has_passwd_entry) return config::StringMap{};
  const auto library = wrapper_library();
  if (library.empty()) {
    return failure(ExitCode::kPermission, "uid " + std::to_string(identity.uid) +
                                              " has no passwd entry, which PostgreSQL needs: " +
                                              "install the package libnss-wrapper, or run as a user of the image");
  }
  const auto id = std::to_string(identity.uid) + ":" + std::to_string(identity.gid);
  const auto passwd_path = directory + "/passwd";
  const auto group_path = directory + "/group";
  auto passwd_text = contents("/etc/passwd") + identity.name + ":x:" + id + ":PostgreSQL:/:/bin/false\n";
  auto group_text = contents("/etc/group") + "slipway:x:" + std::to_string(identity.gid) + ":\n";
  for (const auto& [path, text] : {std::pair(passwd_path, passwd_text), std::pair(group_path, group_text)}) {
    if (auto written = replace_file(path, text, 0600); !written) return tl::unexpected(written.error());
  }
  auto preload = library;
  if (const char* present = std::getenv("LD_PRELOAD"); present != nullptr && *present != '\0') {
    preload += ":" + std::string(present);
  }
  return config::StringMap{
      {"LD_PRELOAD", preload}, {"NSS_WRAPPER_PASSWD", passwd_path}, {"NSS_WRAPPER_GROUP", group_path}};
}

int become(const OsIdentity& identity) {
  if (!identity.switches) return 0;
  if (setgroups(identity.groups.size(), identity.groups.data()) != 0) return errno;
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0) return errno;
  if (setresuid(identity.uid, identity.uid, identity.uid) != 0) return errno;
  return 0;
}

}  // namespace slipway::database::postgres
