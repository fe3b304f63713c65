#pragma once
// One run of a readiness probe or a health check. Every probe calls its handler exactly once, from the event loop and
// never from within start_*, with success, a failure, or the timeout; destroying the probe cancels it and the handler
// is not called. The handler may destroy its probe. Details never contain more than one line of what a peer sent.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "config/configuration.hpp"
#include "host/launcher.hpp"

namespace slipway::host {

struct ProbeResult {
  bool ok = false;
  std::string detail;  ///< what went wrong: "connect to 127.0.0.1:8000: Connection refused"
};
using ProbeHandler = std::function<void(const ProbeResult&)>;
using ProbeTimeout = std::chrono::milliseconds;

class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;
};

/// A connection can be made. "localhost" is tried as 127.0.0.1, then ::1; names are not looked up.
[[nodiscard]] std::unique_ptr<Probe> start_tcp_probe(boost::asio::io_context& context, const config::TcpProbe& probe,
                                                     ProbeTimeout timeout, ProbeHandler handler);

/// GET answers with an accepted status (200-399 when none is listed). At most 16 KiB of the answer's head is read,
/// redirects are not followed.
[[nodiscard]] std::unique_ptr<Probe> start_http_probe(boost::asio::io_context& context, const config::HttpProbe& probe,
                                                      ProbeTimeout timeout, ProbeHandler handler);

/// The command exits with 0. It runs in its own group, which is killed when the timeout passes or the probe is
/// destroyed; its first line of output (if `launch` leaves both at -1) becomes the failure's detail.
[[nodiscard]] std::unique_ptr<Probe> start_exec_probe(boost::asio::io_context& context, ChildTable& children,
                                                      const Launch& launch, ProbeTimeout timeout, ProbeHandler handler);

/// The file exists and was modified within `max_age`.
[[nodiscard]] std::unique_ptr<Probe> start_file_probe(boost::asio::io_context& context, const config::FileProbe& probe,
                                                      ProbeHandler handler);

}  // namespace slipway::host
