#pragma once
// Which database this container uses, decided once from the configuration so that every process of a boot (PID 1's
// plan, slipway-db, migrations, workers) means the same one. Pure except for reading password files. This part of the
// folder links neither libpq nor SQLite: PID 1's program uses it too.

#include <string>
#include <vector>

#include "config/configuration.hpp"
#include "config/error.hpp"

namespace slipway::database {

struct Endpoint {
  std::string host;
  std::string port;
  bool operator==(const Endpoint&) const = default;
};

struct ResolvedDatabase {
  config::Backend backend = config::Backend::kNone;
  std::string sqlite_path;  ///< absolute
  bool local = false;       ///< the server runs in this container
  std::vector<Endpoint> endpoints;
  std::string name;
  std::string user;
  config::Secret password;
  std::string schema;
  std::string sslmode;  ///< libpq's word
  std::string sslrootcert;
  std::string channel_binding;  ///< libpq's word
  std::string target_session_attrs;
  int connect_timeout_seconds = 5;
  config::StringMap parameters;  ///< other parameters of a URL's query, percent-decoded
};

/// kBoot makes the local server's password where there is none yet; kInspect (`plan`, `check`) writes nothing and
/// leaves it empty then.
enum class ResolveMode { kBoot, kInspect };

/// Aliases, URL or components, password from its file, from the value, or (local, unset) from `state_dir`, where it is
/// generated once and kept 0600. A URL wins over the components; what it does not say comes from them.
/// Errors name the key and never the password: 78 for contradictions and bad values, 77 for unreadable files.
[[nodiscard]] Result<ResolvedDatabase> resolve(const config::Configuration& configuration,
                                               ResolveMode mode = ResolveMode::kBoot);

/// The variables every migration and worker gets: `database.export` in the asked form and dialect, and PGHOST, PGPORT,
/// PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE, PGCONNECT_TIMEOUT and PGOPTIONS (search_path) for PostgreSQL.
[[nodiscard]] config::StringMap exported_environment(const config::Database& database,
                                                     const ResolvedDatabase& resolved);

/// The search_path that puts `schema` first and alone, its identifier quoted; empty without a schema. Alone, because a
/// second schema would let one instance see another's tables (its version table, say) instead of its own.
[[nodiscard]] std::string search_path(const ResolvedDatabase& resolved);

/// The value of libpq's `options`: those of the URL and the search_path.
[[nodiscard]] std::string connection_options(const ResolvedDatabase& resolved);

/// One form of `export`, also for `slipway db url`.
[[nodiscard]] std::string exported_value(const config::Export& wanted, const ResolvedDatabase& resolved);

/// Every text under which the database's secrets may appear (plain, percent-encoded, quoted), for redaction.
[[nodiscard]] std::vector<std::string> secret_texts(const ResolvedDatabase& resolved);

}  // namespace slipway::database
