#include "database/migrate.hpp"

#include <chrono>
#include <utility>

#include "database/identity.hpp"
#include "database/migration_process.hpp"
#include "database/migration_tool.hpp"

namespace slipway::database {
namespace {

using config::Backend;
using config::CommandLine;
using Clock = std::chrono::steady_clock;

config::StringMap child_environment(const MigrationInputs& inputs) {
  config::StringMap result = inputs.environment;
  // PID 1's, for slipway-db alone.
  result.erase("NOTIFY_SOCKET");
  for (auto& [name, value] : exported_environment(inputs.configuration.database, inputs.database)) {
    result[name] = value;
  }
  for (const auto& [name, value] : inputs.configuration.migrations.environment) result[name] = value;
  return result;
}

class Migration {
 public:
  Migration(const MigrationInputs& inputs, host::Identity identity, MigrationTarget& target)
      : inputs_(inputs),
        migrations_(inputs.configuration.migrations),
        procedure_(migration_procedure(migrations_)),
        identity_(std::move(identity)),
        target_(target),
        environment_(child_environment(inputs)) {}

  Result<MigrationResult> run() {
    auto done = apply_if_pending();
    target_.unlock();
    if (result_.interrupted != 0) return result_;
    if (!done) return tl::unexpected(done.error());
    result_.schema_version = target_.schema_version();
    return result_;
  }

 private:
  Result<void> apply_if_pending() {
    if (procedure_.steps.empty()) return {};
    auto pending = is_pending();
    if (!pending || !*pending) return pending.map([](bool) {});
    if (auto locked = target_.lock(); !locked) return locked;
    // Another replica may have done it while this one waited.
    if (procedure_.pending != PendingCheck::kNone) pending = is_pending();
    if (!pending || !*pending) return pending.map([](bool) {});
    return apply();
  }

  Result<void> apply() {
    deadline_ = Clock::now() + migrations_.timeout;
    if (migrations_.backup) {
      auto backup = target_.backup();
      if (!backup) return tl::unexpected(backup.error());
      result_.backup = backup->value_or("");
      if (!result_.backup.empty()) say(inputs_.report, "backed up to " + result_.backup);
    }
    if (auto prepared = target_.prepare(); !prepared) return prepared;
    for (const auto& step : procedure_.steps) {
      say(inputs_.report, "running " + step.name);
      const auto outcome = execute(step.command, false);
      if (!outcome.succeeded()) return tl::unexpected(failed_step("the step \"" + step.name + "\"", outcome));
    }
    if (auto held = target_.check_lock(); !held) return held;
    if (auto verified = verify(); !verified) return verified;
    result_.applied = true;
    return {};
  }

  Result<void> verify() {
    if (!procedure_.verify.empty()) {
      const auto outcome = execute(procedure_.verify, false);
      if (!outcome.succeeded()) return tl::unexpected(failed_step("verify_command", outcome));
      return {};
    }
    if (procedure_.pending == PendingCheck::kNone) return {};
    auto pending = is_pending();
    if (!pending) return tl::unexpected(pending.error());
    if (*pending) {
      return failure(ExitCode::kMigrationFailed,
                     "migrations: every step succeeded, yet something is still pending: look at the tool's output "
                     "above, or set migrations.verify_command");
    }
    return {};
  }

  Result<bool> is_pending() {
    switch (procedure_.pending) {
      case PendingCheck::kNone:
        return true;
      case PendingCheck::kCommand:
        return command_says_pending();
      case PendingCheck::kAlembic:
        return alembic_pending();
    }
    return true;
  }

  Result<bool> command_says_pending() {
    const auto outcome = execute(procedure_.check, true);
    // Any ordinary failure counts as pending: the migration itself then says what is wrong, if something is.
    if (outcome.kind == ProcessOutcome::Kind::kExited) return outcome.value != 0;
    return tl::unexpected(failed_step("check_command", outcome));
  }

  Result<bool> alembic_pending() {
    const auto heads = execute(procedure_.heads, true);
    if (!heads.succeeded()) return tl::unexpected(failed_step("alembic heads", heads));
    const auto current = execute(procedure_.current, true);
    if (!current.succeeded()) return tl::unexpected(failed_step("alembic current", current));
    const auto applied = alembic_current(current.standard_output);
    for (const auto& head : alembic_heads(heads.standard_output)) {
      if (!applied.contains(head)) return true;
    }
    return false;
  }

  ProcessOutcome execute(const CommandLine& command, bool quiet) {
    ProcessRequest request;
    request.argv = command.argv;
    request.environment = environment_;
    request.identity = identity_;
    request.working_dir = migrations_.working_dir;
    request.deadline = deadline_ == Clock::time_point{} ? Clock::now() + migrations_.timeout : deadline_;
    request.kept_descriptor = target_.lock_descriptor();
    request.quiet = quiet;
    auto outcome = run_process(request);
    if (outcome.kind == ProcessOutcome::Kind::kInterrupted) result_.interrupted = outcome.value;
    return outcome;
  }

  [[nodiscard]] Error failed_step(const std::string& step, const ProcessOutcome& outcome) const {
    std::string message = "migrations: " + step + " " + outcome.describe();
    if (outcome.kind == ProcessOutcome::Kind::kTimedOut) message += ": raise migrations.timeout";
    if (!result_.backup.empty()) message += "; the backup is " + result_.backup;
    if (!outcome.last_lines.empty()) message += ": its last words:";
    for (const auto& line : outcome.last_lines) message += "\n  " + line;
    return {std::move(message), ExitCode::kMigrationFailed};
  }

  const MigrationInputs& inputs_;
  const config::Migrations& migrations_;
  MigrationProcedure procedure_;
  host::Identity identity_;
  MigrationTarget& target_;
  config::StringMap environment_;
  Clock::time_point deadline_{};
  MigrationResult result_;
};

std::unique_ptr<MigrationTarget> make_target(const MigrationInputs& inputs, const host::Identity& identity) {
  switch (inputs.database.backend) {
    case Backend::kSqlite:
      return sqlite_target(inputs, identity);
    case Backend::kPostgres:
      return postgres_target(inputs);
    case Backend::kNone:
      return no_target();
  }
  return no_target();
}

}  // namespace

Result<MigrationResult> migrate(const MigrationInputs& inputs) {
  auto identity = migration_identity(inputs.configuration, inputs.database.backend);
  if (!identity) return tl::unexpected(identity.error());
  const auto target = make_target(inputs, *identity);
  return Migration(inputs, *identity, *target).run();
}

}  // namespace slipway::database
