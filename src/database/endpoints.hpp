#pragma once
// Where the servers are: hosts and ports of the components and of a URL, joined and checked. Pure.

#include <string>
#include <vector>

#include "database/resolve.hpp"
#include "database/url.hpp"

namespace slipway::database {

/// What a URL's query says about hosts and ports; comma-separated, empty when absent.
struct QueryHosts {
  std::string hosts;
  std::string ports;
};

/// The components `host` and `port`: one port for all hosts, or one for each.
[[nodiscard]] Result<std::vector<Endpoint>> join_endpoints(const std::string& hosts, const std::string& ports);

/// The URL's servers; where it names none, the components'.
[[nodiscard]] Result<std::vector<Endpoint>> url_endpoints(const DatabaseUrl& url, QueryHosts query,
                                                          const config::PostgresDatabase& postgres);

/// The address of the server in this container as its clients in the container see it. A configured host that is not
/// this machine is ignored, because switching `local` on must be enough; a URL's contradicts and is refused.
[[nodiscard]] Result<std::vector<Endpoint>> local_endpoint(const config::PostgresDatabase& postgres,
                                                           const std::vector<Endpoint>& configured, bool from_url);

}  // namespace slipway::database
