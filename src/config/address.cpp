#include <arpa/inet.h>
#include <charconv>

#include "config/notation.hpp"

namespace slipway::config {
namespace {

tl::unexpected<Error> refuse(std::string message) { return failure(ExitCode::kConfiguration, std::move(message)); }

std::string quote(std::string_view text) { return '"' + std::string(text) + '"'; }

bool is_literal(const std::string& host) {
  in_addr four{};
  in6_addr six{};
  return inet_pton(AF_INET, host.c_str(), &four) == 1 || inet_pton(AF_INET6, host.c_str(), &six) == 1;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return refuse("expected a port from 1 to 65535, got " + quote(text));
  return static_cast<std::uint16_t>(port);
}

/// `host`, `host:port` and `[host]:port`; `port` stays empty when absent.
struct Authority {
  std::string host;
  std::string_view port;
  bool has_port = false;
};

Result<Authority> split_authority(std::string_view text) {
  Authority authority;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return refuse("the '[' of " + quote(text) + " is not closed");
    authority.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos)
      return refuse("an IPv6 address needs brackets, as in [::1]:8000, got " + quote(text));
    authority.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
  }
  if (rest.empty()) return authority;
  if (rest[0] != ':') return refuse("expected ':' and a port after the address, got " + quote(text));
  authority.has_port = true;
  authority.port = rest.substr(1);
  return authority;
}

Result<std::string> check_host(std::string host) {
  if (host.empty()) return refuse("an address is missing: write 127.0.0.1, [::1] or localhost");
  if (host == "localhost" || is_literal(host)) return host;
  return refuse("expected an IP address or localhost, got " + quote(host) +
                ": looking up a name could block PID 1; use exec with a command for other hosts");
}

}  // namespace

Result<TcpProbe> parse_tcp_address(std::string_view text) {
  const auto authority = split_authority(text);
  if (!authority) return tl::unexpected(authority.error());
  if (!authority->has_port) return refuse("expected an address and a port such as 127.0.0.1:8000, got " + quote(text));
  auto host = check_host(authority->host);
  if (!host) return tl::unexpected(host.error());
  const auto port = parse_port(authority->port);
  if (!port) return tl::unexpected(port.error());
  return TcpProbe{std::move(*host), *port};
}

Result<HttpAddress> parse_http_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (text.starts_with("https://"))
    return refuse("https is not supported in probes: use http, or exec with a command such as curl");
  if (!text.starts_with(kScheme))
    return refuse("expected a URL such as http://127.0.0.1:8000/health, got " + quote(text));
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t end = rest.find_first_of("/?#");
  const std::string_view where = rest.substr(0, end);
  if (where.find('@') != std::string_view::npos)
    return refuse("a user name in a probe's URL is not supported: use headers with Authorization");
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return refuse("white space in a URL: write it as %20");
  const auto authority = split_authority(where);
  if (!authority) return tl::unexpected(authority.error());
  auto host = check_host(authority->host);
  if (!host) return tl::unexpected(host.error());
  HttpAddress address;
  address.endpoint = {std::move(*host), 80};
  if (authority->has_port) {
    const auto port = parse_port(authority->port);
    if (!port) return tl::unexpected(port.error());
    address.endpoint.port = *port;
  }
  const std::string_view target = end == std::string_view::npos ? std::string_view() : rest.substr(end);
  address.target = target.substr(0, target.find('#'));
  if (!address.target.starts_with('/')) address.target.insert(0, 1, '/');
  return address;
}

}  // namespace slipway::config
