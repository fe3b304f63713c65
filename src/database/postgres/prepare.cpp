#include "database/postgres/prepare.hpp"

#include <algorithm>
#include <cstdlib>

#include "database/postgres/access_rules.hpp"
#include "database/postgres/binaries.hpp"
#include "database/postgres/data_directory.hpp"
#include "database/postgres/durable_file.hpp"
#include "database/postgres/init_record.hpp"
#include "database/postgres/init_scripts.hpp"
#include "database/postgres/private_directory.hpp"
#include "database/postgres/provision.hpp"
#include "database/postgres/server_command.hpp"
#include "database/postgres/superuser.hpp"
#include "database/postgres/wait.hpp"

namespace slipway::database::postgres {
namespace {

struct Local {
  const config::PostgresDatabase& settings;
  const ResolvedDatabase& database;
  const Report& report;
  OsIdentity identity;
  DataDirectory directory;
  Administration administration;
};

Result<Local> local_context(const config::Configuration& configuration, const ResolvedDatabase& database,
                            const Report& report) {
  const auto& settings = configuration.database.postgres;
  auto identity = cluster_identity(settings.cluster.os_user);
  if (!identity) return tl::unexpected(identity.error());
  auto directory = inspect_data_directory(settings.cluster.data_dir);
  if (!directory) return tl::unexpected(directory.error());
  if (directory->state != DirectoryState::kCluster) {
    return failure(ExitCode::kClusterRefused,
                   directory->path + ": there is no cluster: run `slipway-db initdb` and `slipway-db server` first");
  }
  auto sockets = private_directory(configuration, *identity);
  if (!sockets) return tl::unexpected(sockets.error());
  return Local{settings, database, report, *identity, *directory, {*sockets, local_port(database), {}}};
}

/// As in the official image, what the scripts create belongs to the application, so they connect as its role, which
/// is superuser meanwhile. A kill in between leaves the record, and with it the cluster is built again.
Result<void> first_initialisation(const Local& local, Connection& administrator) {
  auto scripts = find_init_scripts(local.settings.cluster.init_scripts);
  if (!scripts) return tl::unexpected(scripts.error());
  if (scripts->empty()) return write_record(local.directory.path, InitStage::kComplete, local.identity);
  if (!expressible(local.database.user)) {
    return failure(ExitCode::kConfiguration,
                   "database.postgres.user: init scripts cannot log in under this name: use one "
                   "without line breaks and leading slash");
  }
  auto binaries = find_binaries(local.settings.cluster.bin_dir, "psql", local.directory.major);
  if (!binaries) return tl::unexpected(binaries.error());
  auto variables = name_service_environment(local.identity, local.administration.socket_directory);
  if (!variables) return tl::unexpected(variables.error());
  auto role = administrator.quote_identifier(local.database.user);
  if (!role) return tl::unexpected(role.error());
  auto was_superuser =
      administrator.query("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1", {local.database.user});
  if (!was_superuser) return tl::unexpected(was_superuser.error());
  // What proves to the next boot that only our server ran here must not be lost before the record that asks for it.
  if (auto synced = sync_path(local.directory.path + "/postmaster.opts"); !synced) return synced;
  if (auto written = write_record(local.directory.path, InitStage::kInitScripts, local.identity); !written)
    return written;
  if (auto raised = administrator.execute("ALTER ROLE " + *role + " SUPERUSER"); !raised) return raised;
  const ScriptContext context{local.administration, local.database.user, local.database.name, local.directory.path,
                              binaries->directory,  local.identity,      *variables};
  if (auto run = run_init_scripts(*scripts, context, local.report); !run) return run;
  if (was_superuser->value() != "t") {
    if (auto lowered = administrator.execute("ALTER ROLE " + *role + " NOSUPERUSER"); !lowered) return lowered;
  }
  return write_record(local.directory.path, InitStage::kComplete, local.identity);
}

Result<bool> is_first_initialisation(const Local& local) {
  auto record = read_record(local.directory.path);
  if (!record) return tl::unexpected(record.error());
  if (*record == InitStage::kInitScripts || *record == InitStage::kDiscarding) {
    return failure(ExitCode::kClusterRefused, local.directory.path +
                                                  ": its init scripts were interrupted: start again, "
                                                  "the cluster is then built afresh");
  }
  return *record == InitStage::kCluster;
}

/// PostgreSQL reads the file as it would for a reload, so a mistake is found while nobody is let in yet.
Result<void> check_rules(Connection& administrator) {
  auto wrong = administrator.query(
      "SELECT CASE WHEN error IS NOT NULL THEN error ELSE 'trust on a network would let anybody in' END || ' (line ' "
      "|| "
      "line_number || ')' FROM pg_catalog.pg_hba_file_rules WHERE error IS NOT NULL OR (auth_method = 'trust' AND "
      "type <> 'local' AND NOT coalesce((address = '127.0.0.1' AND netmask LIKE '255.%') OR (address = '::1' AND "
      "netmask LIKE 'ffff:ffff:ffff:ffff:%') OR address IN ('localhost', 'samehost'), false)) ORDER BY line_number");
  if (!wrong) return tl::unexpected(wrong.error());
  if (wrong->empty()) return {};
  return failure(ExitCode::kConfiguration,
                 "database.postgres.cluster.hba: " + wrong->value() + ": correct the line (the first is line 2)");
}

Result<void> open_to_clients(const Local& local, Connection& administrator) {
  const ServerFiles files{local.administration.socket_directory};
  const auto install = [&](const std::string& rules) {
    return replace_file(files.rules(), rules, 0600, local.identity.uid, local.identity.gid);
  };
  auto rules = final_rules(local.settings.cluster.hba, local.administration.superuser);
  if (auto installed = install(rules); !installed) return installed;
  if (auto checked = check_rules(administrator); !checked) {
    if (auto closed = install(provisioning_rules()); !closed) return closed;
    return checked;
  }
  return administrator.execute("SELECT pg_catalog.pg_reload_conf()");
}

/// The application's way in must end at this very server: another one may own the port on the loopback interface.
Result<void> check_application(const Local& local, Connection& administrator) {
  auto application = wait_until_ready(application_parameters(local.database), local.settings.wait, local.report);
  if (!application) return tl::unexpected(application.error());
  const std::string question = "SELECT pg_catalog.pg_postmaster_start_time()";
  auto theirs = application->query(question);
  if (!theirs) return tl::unexpected(theirs.error());
  auto ours = administrator.query(question);
  if (!ours) return tl::unexpected(ours.error());
  if (theirs->value() == ours->value()) return {};
  return failure(ExitCode::kDatabaseUnavailable, describe(application_parameters(local.database)) +
                                                     ": another server answers there: choose a free port");
}

/// On every boot but the first the database was there and `administrator` is in it already.
Result<Connection> into_database(const Local& local, Connection administrator) {
  auto name = administrator.query("SELECT pg_catalog.current_database()");
  if (!name) return tl::unexpected(name.error());
  if (name->value() == local.database.name) return administrator;
  auto inside = Connection::open(administration_parameters(local.administration, local.database.name),
                                 Clock::now() + local.settings.wait.timeout, local.report);
  if (!inside) return tl::unexpected(inside.error().error);
  return std::move(*inside);
}

/// libpq would go where these say whatever "host" is; a superuser and the init scripts speak to the private socket
/// alone.
void forget_other_servers() {
  for (const char* name : {"PGHOSTADDR", "PGSERVICE", "PGSERVICEFILE", "PGREQUIREPEER"}) unsetenv(name);
}

Result<void> prepare_local(const config::Configuration& configuration, const ResolvedDatabase& database,
                           const Report& report) {
  forget_other_servers();
  auto local = local_context(configuration, database, report);
  if (!local) return tl::unexpected(local.error());
  auto administrator =
      connect_as_superuser(local->administration, database.name, superuser_candidates(database, local->identity),
                           local->settings.wait, report);
  if (!administrator) return tl::unexpected(administrator.error());
  auto first = is_first_initialisation(*local);
  if (!first) return tl::unexpected(first.error());
  if (auto done = provision_role_and_database(*administrator, database, report); !done) return done;
  auto inside = into_database(*local, std::move(*administrator));
  if (!inside) return tl::unexpected(inside.error());
  if (auto done = provision_schema(*inside, database, local->settings.extensions, report); !done) return done;
  if (*first) {
    if (auto done = first_initialisation(*local, *inside); !done) return done;
  }
  if (auto opened = open_to_clients(*local, *inside); !opened) return opened;
  return check_application(*local, *inside);
}

Result<void> create_own_schema(Connection& connection, const ResolvedDatabase& database, const Report& report) {
  auto found = connection.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {database.schema});
  if (!found) return tl::unexpected(found.error());
  auto schema = connection.quote_identifier(database.schema);
  if (!schema) return tl::unexpected(schema.error());
  if (found->empty()) {
    say(report, "creating the schema " + database.schema);
    auto created = connection.execute("CREATE SCHEMA IF NOT EXISTS " + *schema, ExitCode::kPermission);
    // IF NOT EXISTS does not see what another replica is creating at this moment: the second one fails.
    if (!created) {
      found = connection.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", {database.schema});
      if (!found || found->empty()) return created;
    }
  }
  // Best effort: drivers other than libpq do not read PGOPTIONS. Not being allowed to is no failure.
  auto role = connection.quote_identifier(database.user);
  auto name = connection.quote_identifier(database.name);
  if (!role || !name) return {};
  auto path = connection.execute("ALTER ROLE " + *role + " IN DATABASE " + *name + " SET search_path = " + *schema +
                                 (database.schema == "public" ? "" : ", public"));
  if (!path) say(report, "search_path is not set for the role: " + path.error().message);
  return {};
}

Result<void> prepare_external(const config::Configuration& configuration, const ResolvedDatabase& database,
                              const Report& report) {
  const auto& settings = configuration.database.postgres;
  const auto parameters = application_parameters(database);
  auto connection = wait_until_ready(parameters, settings.wait, report);
  if (!connection) return tl::unexpected(connection.error());
  if (!database.schema.empty()) {
    if (auto done = create_own_schema(*connection, database, report); !done) return done;
  }
  return create_extensions(*connection, settings.extensions, "", report);
}

}  // namespace

Result<void> prepare(const config::Configuration& configuration, const ResolvedDatabase& database,
                     const Report& report) {
  if (!database.local) return prepare_external(configuration, database, report);
  if (auto names = check_names(database); !names) return names;
  return prepare_local(configuration, database, report);
}

}  // namespace slipway::database::postgres
