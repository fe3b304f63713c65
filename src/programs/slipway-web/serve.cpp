// Stage 2: the server, with nothing but two descriptors.
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <sys/socket.h>

#include "config/exit_code.hpp"
#include "programs/slipway-web/stages.hpp"
#include "web/http_server.hpp"

namespace slipway::program {
namespace {

bool is_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int run() {
  boost::asio::io_context context(1);
  int code = 0;
  boost::asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) context.stop();
  });
  web::Bridge bridge(context, kControlDescriptor, [&] {
    std::fputs("slipway-web: the connection to Slipway is lost\n", stderr);
    code = static_cast<int>(ExitCode::kDatabaseUnavailable);  // EX_UNAVAILABLE; PID 1, if it lives, starts us again
    context.stop();
  });
  const web::HttpServer server(context, kListenDescriptor, bridge);
  context.run();
  return code;
}

}  // namespace

int serve() {
  if (!is_socket(kControlDescriptor) || !is_socket(kListenDescriptor)) {
    std::fputs("slipway-web: --serve is for slipway-web itself: start it without\n", stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    return run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "slipway-web: %s\n", error.what());
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace slipway::program
