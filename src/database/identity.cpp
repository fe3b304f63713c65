#include "database/identity.hpp"

#include <cstdlib>
#include <grp.h>
#include <unistd.h>

namespace slipway::database {
namespace {

/// Where the name of the user comes from, and the user.
struct Source {
  std::string key;
  std::string user;
  std::string group;
};

Source source_of(const config::Configuration& configuration, config::Backend backend) {
  if (!configuration.migrations.user.empty()) return {"migrations.user", configuration.migrations.user, ""};
  if (backend == config::Backend::kSqlite) {
    for (const auto& [name, worker] : configuration.workers) {
      if (worker.enabled && !worker.user.empty()) return {"workers." + name + ".user", worker.user, worker.group};
    }
  }
  return {};
}

}  // namespace

Result<host::Identity> migration_identity(const config::Configuration& configuration, config::Backend backend) {
  const Source source = source_of(configuration, backend);
  auto identity = host::resolve_identity(source.user, source.group, {});
  if (!identity) {
    return failure(ExitCode::kConfiguration, (source.key.empty() ? "" : source.key + ": ") + identity.error().message);
  }
  if (::geteuid() != 0 && identity->uid != ::geteuid()) {
    return failure(ExitCode::kPermission, source.key + ": cannot become " + source.user + " as the user with id " +
                                              std::to_string(::geteuid()) +
                                              ": start the container as root or as that user, or remove the setting");
  }
  return identity;
}

ActingAs::ActingAs(const host::Identity& identity) : uid_(::geteuid()), gid_(::getegid()) {
  if (uid_ != 0 || identity.uid == 0) return;
  const int count = ::getgroups(0, nullptr);
  groups_.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (count > 0 && ::getgroups(count, groups_.data()) < 0) return;
  active_ = true;
  if (::setgroups(identity.groups.size(), identity.groups.data()) != 0 || ::setegid(identity.gid) != 0 ||
      ::seteuid(identity.uid) != 0) {
    std::abort();
  }
}

ActingAs::~ActingAs() {
  if (!active_) return;
  if (::seteuid(uid_) != 0 || ::setegid(gid_) != 0 || ::setgroups(groups_.size(), groups_.data()) != 0) std::abort();
}

}  // namespace slipway::database
