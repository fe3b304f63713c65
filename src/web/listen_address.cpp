#include "web/listen_address.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <unistd.h>

#include "config/notation.hpp"

namespace slipway::web {

Result<int> listen_on(const std::string& address) {
  using boost::asio::ip::tcp;
  const auto parsed = config::parse_tcp_address(address);
  if (!parsed) return failure(ExitCode::kConfiguration, "http.listen: " + parsed.error().message);
  boost::system::error_code error;
  const std::string host = parsed->host == "localhost" ? "127.0.0.1" : parsed->host;
  const auto ip = boost::asio::ip::make_address(host, error);
  if (error) return failure(ExitCode::kConfiguration, "http.listen: " + address + ": " + error.message());
  boost::asio::io_context context;
  tcp::acceptor acceptor(context);
  const tcp::endpoint endpoint(ip, parsed->port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(128, error);
  if (error) {
    const bool denied = error == boost::asio::error::access_denied;
    return failure(denied ? ExitCode::kPermission : ExitCode::kInternal,
                   "http.listen: " + address + ": " + error.message() + ": choose another address or port");
  }
  return acceptor.release();
}

}  // namespace slipway::web
