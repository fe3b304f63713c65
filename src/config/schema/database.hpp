#pragma once
// The keys of `database` and everything below it.

#include "config/schema/table.hpp"

namespace slipway::config {

template <>
struct Schema<SqliteDatabase> {
  using T = SqliteDatabase;
  static constexpr std::string_view name = "sqlite";
  static constexpr auto fields = std::tuple{
      optional("path", &T::path, "The database file. It and its directory are created when missing."),
      optional("journal_mode", &T::journal_mode, "PRAGMA journal_mode. `wal` is refused on network file systems."),
      optional("busy_timeout", &T::busy_timeout, "How long a connection waits for a lock before it gives up."),
      optional("synchronous", &T::synchronous, "PRAGMA synchronous."),
      optional("startup_check", &T::startup_check,
               "The integrity check before the boot goes on: `quick` is PRAGMA quick_check, `full` is "
               "integrity_check.")};
};

template <>
struct Schema<PostgresWait> {
  using T = PostgresWait;
  static constexpr std::string_view name = "wait";
  static constexpr auto fields =
      std::tuple{optional("timeout", &T::timeout, "How long to wait for a server that is not there yet.").positive(),
                 optional("interval", &T::interval, "The pause between two attempts.").positive()};
};

template <>
struct Schema<PostgresCluster> {
  using T = PostgresCluster;
  static constexpr std::string_view name = "cluster";
  static constexpr auto fields = std::tuple{
      optional("data_dir", &T::data_dir, "The cluster's data directory, created by initdb when empty.")
          .form(TextForm::kAbsolutePath),
      optional("bin_dir", &T::bin_dir,
               "Where the server's programs are: `auto` (newest installed), a major version, or a directory."),
      optional("os_user", &T::os_user, "The user that runs the server when Slipway is root."),
      optional("listen_addresses", &T::listen_addresses, "PostgreSQL's listen_addresses."),
      optional("initdb_args", &T::initdb_args, "More arguments for initdb, one per item."),
      optional("init_scripts", &T::init_scripts,
               "A directory of scripts that run once, after the first initialisation. Empty: none."),
      optional("settings", &T::settings, "Any setting of postgresql.conf.").keys(KeyStyle::kLowerCase),
      optional("hba", &T::hba, "More lines for pg_hba.conf, before Slipway's own.")};
};

template <>
struct Schema<PostgresDatabase> {
  using T = PostgresDatabase;
  static constexpr std::string_view name = "postgres";
  static constexpr auto fields = std::tuple{
      optional("local", &T::local, "Run the server in this container."),
      optional("host", &T::host, "One host or several, comma-separated."),
      optional("port", &T::port, "One port for all hosts, or one per host, comma-separated.").form(TextForm::kPorts),
      optional("name", &T::name, "The database's name."),
      optional("user", &T::user, "The role that the application connects as."),
      optional("password", &T::password, "The role's password. Local and unset: generated once and kept in state_dir."),
      optional("password_file", &T::password_file, "A file that holds the password, such as a mounted secret."),
      optional("schema", &T::schema, "Created when missing, owned by the user, first on search_path. Empty: public."),
      optional("sslmode", &T::sslmode, "libpq's sslmode."),
      optional("sslrootcert", &T::sslrootcert, "The certificate authorities that may sign the server's certificate."),
      optional("channel_binding", &T::channel_binding, "libpq's channel_binding."),
      optional("connect_timeout", &T::connect_timeout, "The time limit of one attempt to connect.").positive(),
      optional("target_session_attrs", &T::target_session_attrs, "Which of several hosts will do."),
      optional("extensions", &T::extensions, "Extensions that are created when missing.").one_or_list(),
      optional("wait", &T::wait, "Waiting for the server."),
      optional("cluster", &T::cluster, "The server in this container; used when `local` is true.")};
};

template <>
struct Schema<ExportDriver> {
  using T = ExportDriver;
  static constexpr std::string_view name = "driver";
  static constexpr auto fields =
      std::tuple{optional("postgres", &T::postgres, "`asyncpg` gives postgresql+asyncpg://."),
                 optional("sqlite", &T::sqlite, "`aiosqlite` gives sqlite+aiosqlite:///.")};
};

template <>
struct Schema<Export> {
  using T = Export;
  static constexpr std::string_view name = "export";
  static constexpr std::string_view shorthand = "form";
  static constexpr auto fields =
      std::tuple{required("form", &T::form, "What the variable holds."),
                 optional("driver", &T::driver, "The driver suffix of the URL's scheme, per backend.")};
};

template <>
struct Schema<Database> {
  using T = Database;
  static constexpr std::string_view name = "database";
  static constexpr auto fields = std::tuple{
      optional("backend", &T::backend, "The kind of database; `postgresql` and `neon` are accepted for `postgres`."),
      optional("url", &T::url, "A database URL with any driver suffix. Wins over the components; may hold a password."),
      optional("sqlite", &T::sqlite, "The SQLite database."),
      optional("postgres", &T::postgres, "The PostgreSQL database."),
      optional("export", &T::exports, "Variables that every migration and worker gets, by name.")
          .keys(KeyStyle::kAsWritten)};
};

}  // namespace slipway::config
