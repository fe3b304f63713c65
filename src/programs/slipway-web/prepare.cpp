// Stage 1: everything that needs rights, then none of them.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "config/loader.hpp"
#include "control/client.hpp"
#include "host/accounts.hpp"
#include "programs/slipway-web/stages.hpp"
#include "web/listen_address.hpp"

namespace slipway::program {
namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "slipway-web: %s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

tl::unexpected<Error> system_failure(const char* what) {
  return failure(ExitCode::kPermission, std::string("http.user: ") + what + ": " + std::strerror(errno));
}

Result<config::Configuration> load(const std::string& path) {
  config::LoadRequest request;
  request.path = path;
  request.environment = config::process_environment();
  auto loaded = config::load(request);
  if (!loaded) return failure(ExitCode::kConfiguration, config::to_string(loaded.error().diagnostics.front()));
  return std::move(loaded->configuration);
}

/// Only root can become another; anybody else already is nobody special.
Result<void> become(const std::string& user) {
  if (geteuid() == 0) {
    const auto identity = host::resolve_identity(user, "", {});
    if (!identity) return failure(identity.error().code, "http.user: " + identity.error().message);
    if (identity->uid == 0)
      return failure(ExitCode::kConfiguration, "http.user: root may not serve: name another user");
    if (setgroups(identity->groups.size(), identity->groups.data()) != 0) return system_failure("setgroups");
    if (setresgid(identity->gid, identity->gid, identity->gid) != 0) return system_failure("setresgid");
    if (setresuid(identity->uid, identity->uid, identity->uid) != 0) return system_failure("setresuid");
    if (setuid(0) == 0) return failure(ExitCode::kInternal, "http.user: the rights of root came back");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure("no_new_privs");
  return {};
}

/// The two descriptors go to their places, everything else is closed by exec.
Result<void> place_descriptors(int control, int listener) {
  constexpr int kOutOfTheWay = 10;
  const int high_control = fcntl(control, F_DUPFD_CLOEXEC, kOutOfTheWay);
  const int high_listener = fcntl(listener, F_DUPFD_CLOEXEC, kOutOfTheWay);
  if (high_control < 0 || high_listener < 0) return system_failure("dup");
  if (dup2(high_control, kControlDescriptor) < 0 || dup2(high_listener, kListenDescriptor) < 0) {
    return system_failure("dup2");
  }
  (void)close_range(kListenDescriptor + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  return {};
}

Result<void> execute_again() {
  // An empty environment: whoever may read /proc/PID/environ of http.user finds no secret there.
  std::array<const char*, 3> argv{"slipway-web", "--serve", nullptr};
  std::array<char*, 1> environment{nullptr};
  execve("/proc/self/exe", const_cast<char* const*>(argv.data()), environment.data());
  return failure(ExitCode::kInternal, std::string("/proc/self/exe: ") + std::strerror(errno) + ": is /proc mounted?");
}

}  // namespace

int prepare(const std::string& config, const std::string& socket) {
  const auto configuration = load(config);
  if (!configuration) return complain(configuration.error());
  if (configuration->http.listen.empty()) {
    return complain(
        {"http.listen: nothing to listen on: set it, for example to 127.0.0.1:9180", ExitCode::kConfiguration});
  }
  auto client = control::Client::connect(socket.empty() ? configuration->control.socket : socket);
  if (!client) return complain(client.error());
  const auto listener = web::listen_on(configuration->http.listen);
  if (!listener) return complain(listener.error());
  if (const auto done = become(configuration->http.user); !done) return complain(done.error());
  if (const auto done = place_descriptors(client->descriptor(), *listener); !done) return complain(done.error());
  return complain(execute_again().error());
}

}  // namespace slipway::program
