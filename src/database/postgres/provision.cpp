#include "database/postgres/provision.hpp"

#include "database/postgres/scram.hpp"

namespace slipway::database::postgres {
namespace {

constexpr std::size_t kLongestName = 63;  // NAMEDATALEN - 1, in bytes

struct Names {
  std::string role;
  std::string database;
};

Result<Names> quoted(const Connection& connection, const ResolvedDatabase& database) {
  auto role = connection.quote_identifier(database.user);
  if (!role) return tl::unexpected(role.error());
  auto name = connection.quote_identifier(database.name);
  if (!name) return tl::unexpected(name.error());
  return Names{*role, *name};
}

Result<void> provision_role(Connection& administrator, const ResolvedDatabase& database, const std::string& role,
                            const Report& report) {
  auto known = administrator.query(
      "SELECT CASE WHEN rolcanlogin AND coalesce(rolvaliduntil, 'infinity') = 'infinity' THEN coalesce(rolpassword, "
      "'') ELSE '' END "
      "FROM pg_catalog.pg_authid WHERE rolname = $1",
      {database.user});
  if (!known) return tl::unexpected(known.error());
  if (scram_verifier_matches(known->value(), database.password)) return {};
  auto verifier = administrator.scram_verifier(database.password, database.user);
  if (!verifier) return tl::unexpected(verifier.error());
  auto literal = administrator.quote_literal(*verifier);
  if (!literal) return tl::unexpected(literal.error());
  say(report, (known->empty() ? "creating the role " : "resetting the password of the role ") + database.user);
  return administrator.execute((known->empty() ? "CREATE ROLE " : "ALTER ROLE ") + role + " LOGIN PASSWORD " +
                                   *literal + " VALID UNTIL 'infinity'",
                               ExitCode::kConfiguration);
}

Result<void> create_database(Connection& administrator, const Names& names) {
  auto encoding = administrator.query(
      "SELECT pg_encoding_to_char(encoding) FROM pg_catalog.pg_database WHERE datname = 'template1'");
  if (!encoding) return tl::unexpected(encoding.error());
  const std::string form = encoding->value() == "UTF8"
                               ? " ENCODING 'UTF8'"
                               : " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'";
  return administrator.execute("CREATE DATABASE " + names.database + " OWNER " + names.role + form,
                               ExitCode::kConfiguration);
}

/// PostgreSQL 15 took CREATE on `public` from everybody but the database's owner; an upgraded cluster may differ.
Result<void> open_public_schema(Connection& administrator, const ResolvedDatabase& database, const std::string& role) {
  auto closed = administrator.query(
      "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public' AND "
      "NOT (has_schema_privilege($1, oid, 'CREATE') AND has_schema_privilege($1, oid, 'USAGE'))",
      {database.user});
  if (!closed) return tl::unexpected(closed.error());
  return closed->empty() ? Result<void>() : administrator.execute("GRANT ALL ON SCHEMA public TO " + role);
}

Result<void> provision_own_schema(Connection& administrator, const ResolvedDatabase& database, const Names& names) {
  auto schema = administrator.quote_identifier(database.schema);
  if (!schema) return tl::unexpected(schema.error());
  auto owner = administrator.query("SELECT pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname = $1",
                                   {database.schema});
  if (!owner) return tl::unexpected(owner.error());
  std::string statements;
  if (owner->empty()) {
    statements = "CREATE SCHEMA " + *schema + " AUTHORIZATION " + names.role + ";";
  } else if (owner->value() != database.user) {
    statements = "ALTER SCHEMA " + *schema + " OWNER TO " + names.role + ";";
  }
  // `public` stays behind it: that is where extensions live.
  statements += "ALTER ROLE " + names.role + " IN DATABASE " + names.database + " SET search_path = " + *schema +
                (database.schema == "public" ? "" : ", public");
  return administrator.execute(statements, ExitCode::kConfiguration);
}

}  // namespace

Result<void> check_names(const ResolvedDatabase& database) {
  struct Name {
    const char* key;
    const std::string& text;
    bool required;
  };
  for (const auto& name :
       {Name{"name", database.name, true}, Name{"user", database.user, true}, Name{"schema", database.schema, false}}) {
    const auto where = std::string("database.postgres.") + name.key + ": ";
    if (name.required && name.text.empty()) return failure(ExitCode::kConfiguration, where + "is empty: set it");
    if (name.text.size() > kLongestName) {
      return failure(ExitCode::kConfiguration, where + "longer than 63 bytes, PostgreSQL would cut it: shorten it");
    }
  }
  if (database.name == "template0" || database.name == "template1") {
    return failure(ExitCode::kConfiguration,
                   "database.postgres.name: " + database.name + " is a template: use another");
  }
  if (database.password.empty()) {
    return failure(ExitCode::kConfiguration, "database.postgres.password: is empty: set it, or password_file");
  }
  return {};
}

Result<void> provision_role_and_database(Connection& administrator, const ResolvedDatabase& database,
                                         const Report& report) {
  auto names = quoted(administrator, database);
  if (!names) return tl::unexpected(names.error());
  if (auto role = provision_role(administrator, database, names->role, report); !role) return role;
  auto owner = administrator.query("SELECT pg_get_userbyid(datdba) FROM pg_catalog.pg_database WHERE datname = $1",
                                   {database.name});
  if (!owner) return tl::unexpected(owner.error());
  if (owner->empty()) {
    say(report, "creating the database " + database.name);
    return create_database(administrator, *names);
  }
  if (owner->value() == database.user) return {};
  return administrator.execute("ALTER DATABASE " + names->database + " OWNER TO " + names->role);
}

Result<void> provision_schema(Connection& administrator, const ResolvedDatabase& database,
                              const std::vector<std::string>& extensions, const Report& report) {
  auto names = quoted(administrator, database);
  if (!names) return tl::unexpected(names.error());
  if (auto opened = open_public_schema(administrator, database, names->role); !opened) return opened;
  if (!database.schema.empty()) {
    if (auto own = provision_own_schema(administrator, database, *names); !own) return own;
  }
  std::string path = "public";
  if (!database.schema.empty()) {
    auto schema = administrator.quote_identifier(database.schema);
    if (!schema) return tl::unexpected(schema.error());
    path += ", " + *schema;
  }
  return create_extensions(administrator, extensions, path, report);
}

Result<void> create_extensions(Connection& connection, const std::vector<std::string>& extensions,
                               const std::string& search_path, const Report& report) {
  constexpr auto kInstalled =
      "SELECT installed_version IS NOT NULL FROM pg_catalog.pg_available_extensions WHERE name = $1";
  for (const auto& extension : extensions) {
    auto found = connection.query(kInstalled, {extension});
    if (!found) return tl::unexpected(found.error());
    if (found->value() == "t") continue;
    if (found->empty()) {
      return failure(ExitCode::kConfiguration, "database.postgres.extensions: " + extension +
                                                   " is not available on this server: install its package, or correct "
                                                   "the name");
    }
    auto name = connection.quote_identifier(extension);
    if (!name) return tl::unexpected(name.error());
    say(report, "creating the extension " + extension);
    // Several statements in one message are one transaction, so SET LOCAL lasts for these alone.
    const auto path = search_path.empty() ? std::string() : "SET LOCAL search_path = " + search_path + "; ";
    auto created =
        connection.execute(path + "CREATE EXTENSION IF NOT EXISTS " + *name + " CASCADE", ExitCode::kPermission);
    // IF NOT EXISTS does not see what another replica is creating at this moment: the second one fails.
    if (!created) {
      found = connection.query(kInstalled, {extension});
      if (!found || found->value() != "t") return created;
    }
  }
  return {};
}

}  // namespace slipway::database::postgres
