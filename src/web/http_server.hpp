#pragma once
// The HTTP server: GET and HEAD, bounded headers, no bodies, a deadline on every operation, a limit on connections.
// One thread. Callbacks, no coroutines: there is one thing to do at a time per connection.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <memory>

#include "web/bridge.hpp"

namespace slipway::web {

struct HttpOptions {
  std::size_t max_connections = 128;
  std::size_t max_header = 8192;                                  ///< bytes of request line and fields
  std::chrono::milliseconds patience = std::chrono::seconds(10);  ///< for reading a request, and for writing a reply
};

class HttpServer {
 public:
  /// Takes over a listening TCP socket. `context` and `bridge` must outlive the server.
  HttpServer(boost::asio::io_context& context, int listener, Bridge& bridge, HttpOptions options = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::size_t connections() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::web
