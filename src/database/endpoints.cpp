#include "database/endpoints.hpp"

#include <charconv>
#include <system_error>

namespace slipway::database {
namespace {

tl::unexpected<Error> bad(const std::string& message) { return failure(ExitCode::kConfiguration, message); }

bool is_port(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else if (c != ' ' && c != '\t') {
      parts.back() += c;
    }
  }
  return parts;
}

Result<std::string> checked_host(const std::string& host) {
  if (host.empty()) return bad("database.postgres.host: an empty host: remove the comma or name the host");
  if (host.front() == '[' && host.back() == ']') return host.substr(1, host.size() - 2);
  const auto colon = host.find(':');
  if (host.front() != '/' && colon != std::string::npos && host.find(':', colon + 1) == std::string::npos) {
    return bad("database.postgres.host: \"" + host + "\" contains a port: put it into database.postgres.port");
  }
  return host;
}

/// SQLAlchemy writes several hosts as ?host=h1:5432&host=h2:5433.
void split_ports_off(QueryHosts& query) {
  if (!query.ports.empty()) return;
  std::string hosts;
  std::string ports;
  for (const auto& host : split(query.hosts, ',')) {
    const auto colon = host.rfind(':');
    const bool has_port = colon != std::string::npos && host.front() != '/' && is_port(host.substr(colon + 1)) &&
                          (host.find(':') == colon || host[colon - 1] == ']');
    hosts += (hosts.empty() ? "" : ",") + (has_port ? host.substr(0, colon) : host);
    ports += (ports.empty() ? "" : ",") + (has_port ? host.substr(colon + 1) : "5432");
  }
  if (ports.find_first_not_of("5432,") != std::string::npos || hosts != query.hosts) query.ports = ports;
  query.hosts = hosts;
}

bool is_this_machine(const std::string& host) {
  return host.empty() || host.front() == '/' || host == "localhost" || host == "127.0.0.1" || host == "::1";
}

}  // namespace

Result<std::vector<Endpoint>> join_endpoints(const std::string& hosts, const std::string& ports) {
  const auto host_list = split(hosts, ',');
  const auto port_list = split(ports, ',');
  if (port_list.size() != 1 && port_list.size() != host_list.size()) {
    return bad("database.postgres.port: " + std::to_string(port_list.size()) + " ports for " +
               std::to_string(host_list.size()) + " hosts: give one port, or one for each host");
  }
  std::vector<Endpoint> result;
  for (std::size_t i = 0; i < host_list.size(); ++i) {
    auto host = checked_host(host_list[i]);
    if (!host) return tl::unexpected(host.error());
    const auto& port = port_list.size() == 1 ? port_list[0] : port_list[i];
    if (!is_port(port)) return bad("database.postgres.port: \"" + port + "\": expected a port from 1 to 65535");
    result.push_back({std::move(*host), port});
  }
  return result;
}

Result<std::vector<Endpoint>> url_endpoints(const DatabaseUrl& url, QueryHosts query,
                                            const config::PostgresDatabase& postgres) {
  if (!query.hosts.empty()) {
    split_ports_off(query);
    std::string port = query.ports;
    if (port.empty() && url.hosts.size() == 1) port = url.hosts[0].port;
    return join_endpoints(query.hosts, port.empty() ? postgres.port : port);
  }
  if (url.hosts.empty()) return join_endpoints(postgres.host, query.ports.empty() ? postgres.port : query.ports);
  std::vector<Endpoint> result;
  for (const auto& [host, port] : url.hosts) {
    if (host.empty() && url.hosts.size() > 1) return bad("database.url: an empty host: remove the comma");
    // RFC 3986 has no way to tell; libpq's own default, not the components', because the URL names the server.
    result.push_back({host.empty() ? postgres.host : host, port.empty() ? "5432" : port});
  }
  if (!query.ports.empty()) {
    if (!is_port(query.ports)) return bad("database.url: the parameter port is not a port from 1 to 65535");
    for (auto& endpoint : result) endpoint.port = query.ports;
  }
  return result;
}

Result<std::vector<Endpoint>> local_endpoint(const config::PostgresDatabase& postgres,
                                             const std::vector<Endpoint>& configured, bool from_url) {
  Endpoint endpoint = configured.front();
  if (from_url && !is_this_machine(endpoint.host)) {
    return bad("database.url: names the server \"" + endpoint.host +
               "\", but database.postgres.local runs one in this container: remove one of the two");
  }
  if (is_this_machine(endpoint.host) && !endpoint.host.empty() && endpoint.host != "localhost") {
    return std::vector{endpoint};
  }
  const auto addresses = split(postgres.cluster.listen_addresses, ',');
  endpoint.host = "localhost";
  for (const auto& address : addresses) {
    if (address == "localhost" || address == "*" || address == "0.0.0.0" || address == "::")
      return std::vector{endpoint};
  }
  endpoint.host = addresses.front().empty() ? "/var/run/postgresql" : addresses.front();
  return std::vector{endpoint};
}

}  // namespace slipway::database
