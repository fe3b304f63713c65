#include "database/postgres/superuser.hpp"

#include <algorithm>
#include <cstdlib>

#include "database/postgres/wait.hpp"

namespace slipway::database::postgres {

std::vector<std::string> superuser_candidates(const ResolvedDatabase& database, const OsIdentity& identity) {
  std::vector<std::string> names{"postgres"};
  const char* official = std::getenv("POSTGRES_USER");
  for (const auto& name : {std::string(official == nullptr ? "" : official), database.user, identity.name}) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

ConnectionParameters administration_parameters(const Administration& administration, const std::string& database) {
  ConnectionParameters parameters;
  // Everything is given, so that no PG* variable meant for the application gets in. The application may own what is in
  // `public`, and a superuser must not call it by accident: hence the search_path.
  parameters.values = {{"host", administration.socket_directory},
                       {"port", administration.port},
                       {"dbname", database},
                       {"user", administration.superuser},
                       {"sslmode", "disable"},
                       {"gssencmode", "disable"},
                       {"channel_binding", "disable"},
                       {"target_session_attrs", "any"},
                       {"connect_timeout", "30"},
                       {"client_encoding", "UTF8"},
                       {"application_name", "slipway prepare"},
                       {"options", "-c statement_timeout=0 -c lock_timeout=0 -c search_path=pg_catalog"}};
  return parameters;
}

Result<Connection> connect_as_superuser(Administration& administration, const std::string& database,
                                        const std::vector<std::string>& candidates, const config::PostgresWait& wait,
                                        const Report& report) {
  std::string tried;
  Error last{"", ExitCode::kPermission};
  for (const auto& candidate : candidates) {
    administration.superuser = candidate;
    for (const auto& place : {database, std::string("postgres"), std::string("template1")}) {
      auto connection = wait_until_ready(administration_parameters(administration, place), wait, report);
      if (!connection) {
        if (connection.error().message.find("gave up after") != std::string::npos) return connection;
        last = connection.error();
        if (last.code == ExitCode::kPermission) break;  // no such role: the other database will not know it either
        continue;
      }
      auto super = connection->query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user");
      if (!super) return tl::unexpected(super.error());
      if (super->value() == "t") return connection;
      break;
    }
    tried += (tried.empty() ? "" : ", ") + candidate;
  }
  return failure(ExitCode::kPermission, administration.socket_directory + ": found no superuser among " + tried + " (" +
                                            last.message + "): set POSTGRES_USER to the cluster's superuser");
}

}  // namespace slipway::database::postgres
