#include "database/notify.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/descriptor.hpp"

namespace slipway::database {

void notify_schema_version(const std::string& version) {
  const char* name = ::getenv("NOTIFY_SOCKET");
  if (name == nullptr || (name[0] != '/' && name[0] != '@')) return;
  const std::string_view text(name);
  sockaddr_un address{};
  if (text.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::copy(text.begin(), text.end(), address.sun_path);
  if (text.front() == '@') address.sun_path[0] = '\0';
  std::string message = "X_SLIPWAY_SCHEMA_VERSION=" + version;
  std::replace(message.begin(), message.end(), '\n', ',');
  const host::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  ::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace slipway::database
