#pragma once
// The keys of `migrations` and `backup`.

#include "config/schema/table.hpp"

namespace slipway::config {

template <>
struct Schema<MigrationStep> {
  using T = MigrationStep;
  static constexpr std::string_view name = "step";
  static constexpr auto fields = std::tuple{required("name", &T::name, "Shown in the log and in errors."),
                                            required("command", &T::command, "What the step runs.")};
};

template <>
struct Schema<MigrationLock> {
  using T = MigrationLock;
  static constexpr std::string_view name = "lock";
  static constexpr auto fields = std::tuple{
      optional("timeout", &T::timeout, "How long to wait for another process that migrates. 0: do not wait."),
      optional("key", &T::key, "The advisory lock's name. `auto`: from the database and the schema.")};
};

template <>
struct Schema<Migrations> {
  using T = Migrations;
  static constexpr std::string_view name = "migrations";
  static constexpr auto fields = std::tuple{
      optional("on_startup", &T::on_startup, "Migrate during the boot."),
      optional("tool", &T::tool, "A preset for the commands below; commands that are given win."),
      optional("command", &T::command, "The migration. Runs only while the lock is held."),
      optional("steps", &T::steps, "Several commands in order, instead of `command`."),
      optional("check_command", &T::check_command,
               "Exit status 0: nothing is pending, so no lock, no backup and no run."),
      optional("verify_command", &T::verify_command, "Must exit 0 afterwards, or the migration failed."),
      optional("prepare_sql", &T::prepare_sql, "Statements that run in the database first, as its owner.")
          .one_or_list(),
      optional("working_dir", &T::working_dir, "The commands' working directory."),
      optional("user", &T::user, "The commands' user. Empty: Slipway's own."),
      optional("environment", &T::environment, "Variables for the commands.").variables(),
      optional("timeout", &T::timeout, "The time limit of one command. 0: none."),
      optional("lock", &T::lock, "The lock that lets one process migrate at a time."),
      optional("backup", &T::backup, "Back the database up before a pending migration."),
      optional("on_failure", &T::on_failure, "`stop` ends the boot with exit code 79; `continue` starts the workers.")};
};

template <>
struct Schema<Backup> {
  using T = Backup;
  static constexpr std::string_view name = "backup";
  static constexpr auto fields =
      std::tuple{optional("dir", &T::dir, "Empty: beside the SQLite database; <state_dir>/backups for PostgreSQL."),
                 optional("keep", &T::keep, "How many of the newest backups are kept.").range(1, 100'000)};
};

}  // namespace slipway::config
