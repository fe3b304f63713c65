#pragma once
// What a migration consists of: the presets of `migrations.tool` filled in where the configuration is silent, and the
// understanding of what the tools print. Pure.

#include <set>
#include <string>
#include <vector>

#include "config/configuration.hpp"

namespace slipway::database {

/// How to know whether anything is pending.
enum class PendingCheck {
  kNone,     ///< no way to know: the migration runs at every boot, under the lock
  kCommand,  ///< exit 0 of `check` means that nothing is
  kAlembic,  ///< `alembic heads` against `alembic current`
};

struct MigrationProcedure {
  std::vector<config::MigrationStep> steps;
  PendingCheck pending = PendingCheck::kNone;
  config::CommandLine check;
  config::CommandLine heads;    ///< kAlembic
  config::CommandLine current;  ///< kAlembic
  config::CommandLine verify;   ///< empty: the check again, where there is one
};

/// alembic: `alembic upgrade heads`; django: `python3 manage.py migrate --noinput`. A command of one's own keeps its
/// program and options for the other questions too: what precedes `upgrade` or `migrate` in it.
[[nodiscard]] MigrationProcedure migration_procedure(const config::Migrations& migrations);

/// The revisions in the output of `alembic heads` (lines with a head mark) or `alembic current`; other lines that an
/// env.py prints are left out.
[[nodiscard]] std::set<std::string> alembic_heads(const std::string& output);
[[nodiscard]] std::set<std::string> alembic_current(const std::string& output);

}  // namespace slipway::database
