#pragma once
// The top level's keys and the small sections.

#include "config/schema/database.hpp"
#include "config/schema/migrations.hpp"
#include "config/schema/workers.hpp"

namespace slipway::config {

template <>
struct Schema<EnvironmentSource> {
  using T = EnvironmentSource;
  static constexpr std::string_view name = "environment source";
  static constexpr std::array<std::string_view, 3> exactly_one{"file", "json_file", "json_base64"};
  static constexpr auto fields = std::tuple{
      optional("file", &T::file, "A dotenv file."),
      optional("json_file", &T::json_file, "A file that holds one JSON object of scalars."),
      optional("json_base64", &T::json_base64, "The same, in base64, usually from a variable. Empty: ignored."),
      optional("required", &T::required, "False: a file that does not exist is ignored.")};
};

template <>
struct Schema<Template> {
  using T = Template;
  static constexpr std::string_view name = "template";
  static constexpr auto fields = std::tuple{required("from", &T::from, "The template; `${VAR}` works as in this file."),
                                            required("to", &T::to, "The file that is written, atomically."),
                                            optional("mode", &T::mode, "Its permissions.")};
};

template <>
struct Schema<Logging> {
  using T = Logging;
  static constexpr std::string_view name = "logging";
  static constexpr auto fields =
      std::tuple{optional("level", &T::level, "The least important message that is shown."),
                 optional("format", &T::format, "Lines for people, or JSON for collectors."),
                 optional("timestamps", &T::timestamps, "Begin each text line with the time."),
                 optional("color", &T::color, "`auto`: on a terminal, unless NO_COLOR is set.")};
};

template <>
struct Schema<Markers> {
  using T = Markers;
  static constexpr std::string_view name = "markers";
  static constexpr auto fields = std::tuple{
      optional("directory", &T::directory, "Where database.ready, migrate.done, ready and failed are written.")
          .form(TextForm::kAbsolutePath),
      optional("migrate_done", &T::migrate_done, "An extra copy of migrate.done under a path that others expect.")
          .form(TextForm::kAbsolutePath)};
};

template <>
struct Schema<Control> {
  using T = Control;
  static constexpr std::string_view name = "control";
  static constexpr auto fields = std::tuple{
      optional("socket", &T::socket, "The control socket.").form(TextForm::kSocketPath),
      optional("mode", &T::mode, "Its permissions."), optional("group", &T::group, "Its group. Empty: Slipway's own.")};
};

template <>
struct Schema<Http> {
  using T = Http;
  static constexpr std::string_view name = "http";
  static constexpr auto fields =
      std::tuple{optional("listen", &T::listen, "Where the health and metrics server listens. Empty: off.")
                     .form(TextForm::kListenAddress),
                 optional("user", &T::user, "The user that runs it when Slipway is root.")};
};

template <>
struct Schema<Shutdown> {
  using T = Shutdown;
  static constexpr std::string_view name = "shutdown";
  static constexpr auto fields =
      std::tuple{optional("timeout", &T::timeout, "After this long everything that is left is killed.").positive(),
                 optional("exit_code_from", &T::exit_code_from, "The worker whose exit code becomes the container's.")};
};

template <>
struct Schema<Configuration> {
  using T = Configuration;
  static constexpr std::string_view name = "configuration";
  static constexpr auto fields =
      std::tuple{optional("name", &T::name, "The application's name, for logs and backups."),
                 optional("environment", &T::environment, "Variables for every process.").variables(),
                 optional("environment_sources", &T::environment_sources,
                          "More variables, lowest first; the container's own variables win."),
                 optional("environment_output", &T::environment_output,
                          "A dotenv file that is written from the sources, mode 0600, for applications that read one."),
                 optional("templates", &T::templates, "Files that are rendered before anything starts."),
                 optional("database", &T::database, "The database."),
                 optional("migrations", &T::migrations, "Migrating it."),
                 optional("backup", &T::backup, "Backing it up."),
                 optional("workers", &T::workers, "The application's processes, by name.").worker_names(),
                 optional("logging", &T::logging, "Slipway's own log."),
                 optional("markers", &T::markers, "Files whose presence tells others how far the boot is."),
                 optional("state_dir", &T::state_dir, "What must survive a restart of the container.")
                     .form(TextForm::kAbsolutePath),
                 optional("control", &T::control, "The socket that `slipway status` and the others talk to."),
                 optional("http", &T::http, "The health and metrics server."),
                 optional("shutdown", &T::shutdown, "Stopping the container.")};
};

}  // namespace slipway::config
