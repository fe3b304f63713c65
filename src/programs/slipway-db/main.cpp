// slipway-db: the database work of a boot, one process per task. Links libpq and SQLite so that PID 1 need not.

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include "programs/slipway-db/commands.hpp"
#include "version.hpp"

namespace {

using slipway::ExitCode;
using slipway::Result;
using slipway::programs::Session;

int exit_code(ExitCode code) { return static_cast<int>(code); }

int run(const std::string& config_path, const std::function<Result<void>(const Session&)>& command) {
  auto session = Session::open(config_path);
  if (!session) {
    slipway::programs::print_line("error", session.error().message);
    return exit_code(session.error().code);
  }
  const auto done = command(*session);
  if (done) return exit_code(ExitCode::kOk);
  slipway::programs::print_line("error", session->redacted(done.error().message));
  return exit_code(done.error().code);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app{"The database work of a Slipway container", "slipway-db"};
  app.set_version_flag("--version", std::string("slipway-db ") + slipway::kVersion);
  app.require_subcommand(1);
  app.fallthrough();
  std::string config_path;
  app.add_option("-c,--config", config_path, "the configuration; otherwise $SLIPWAY_CONFIG and the usual places");
  std::function<Result<void>(const Session&)> chosen;
  const auto add = [&](const char* name, const char* help, Result<void> (*command)(const Session&)) {
    app.add_subcommand(name, help)->callback([&chosen, command] { chosen = command; });
  };
  add("initdb", "create the local PostgreSQL cluster where there is none", slipway::programs::initdb);
  add("server", "become the local PostgreSQL server", slipway::programs::server);
  add("prepare", "make the database usable: wait, provision, check", slipway::programs::prepare);
  add("migrate", "apply pending migrations under the lock, after a backup", slipway::programs::migrate);
  add("wait", "wait until the database answers the application's role", slipway::programs::wait);
  add("status", "show the database and its schema version", slipway::programs::status);
  add("backup", "make the backup that a migration would make", slipway::programs::backup);
  bool show_password = false;
  auto* url = app.add_subcommand("url", "print the database's URL");
  url->add_flag("--show-password", show_password, "print the password too");
  url->callback(
      [&] { chosen = [&](const Session& session) { return slipway::programs::url(session, show_password); }; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(ExitCode::kUsage);
  }
  return run(config_path, chosen);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, our children would leave no exit code
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    slipway::programs::print_line("error", std::string("internal error: ") + error.what());
    return exit_code(ExitCode::kInternal);
  }
}
