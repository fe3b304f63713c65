#pragma once
// The keys of a worker: how it starts, when it is ready and healthy, how it is restarted and stopped.

#include "config/schema/table.hpp"

namespace slipway::config {

template <>
struct Schema<Dependency> {
  using T = Dependency;
  static constexpr std::string_view name = "depends_on";
  static constexpr auto fields = std::tuple{
      optional("condition", &T::condition, "What must hold before the worker starts."),
      optional("required", &T::required, "False: a dependency that failed or is disabled does not hold it back.")};
};

template <>
struct Schema<HttpProbe> {
  using T = HttpProbe;
  static constexpr std::string_view name = "http";
  static constexpr std::string_view shorthand = "url";
  static constexpr auto fields = std::tuple{
      required("url", &T::url, "An http URL whose host is an IP address or localhost.").form(TextForm::kHttpUrl),
      optional("headers", &T::headers, "Headers of the request.").keys(KeyStyle::kAsWritten),
      optional("status", &T::status, "Accepted status codes. Empty: 200 to 399.").one_or_list().range(100, 599)};
};

template <>
struct Schema<FileProbe> {
  using T = FileProbe;
  static constexpr std::string_view name = "file";
  static constexpr std::string_view shorthand = "path";
  static constexpr auto fields =
      std::tuple{required("path", &T::path, "The file that must exist.").form(TextForm::kAbsolutePath),
                 optional("max_age", &T::max_age, "How old its last modification may be. 0: existence is enough.")};
};

template <>
struct Schema<Readiness> {
  using T = Readiness;
  static constexpr std::string_view name = "ready";
  static constexpr std::array<std::string_view, 7> exactly_one{"notify_fd", "sd_notify", "tcp", "http",
                                                               "exec",      "log_line",  "file"};
  static constexpr auto fields = std::tuple{
      optional("notify_fd", &T::notify_fd, "The worker writes a newline to this descriptor (s6).").range(3, 1023),
      optional("sd_notify", &T::sd_notify, "The worker sends READY=1 to $NOTIFY_SOCKET (systemd)."),
      optional("tcp", &T::tcp, "The worker accepts a connection at this address."),
      optional("http", &T::http, "The worker answers this request."),
      optional("exec", &T::exec, "This command exits with 0."),
      optional("log_line", &T::log_line,
               "A line of its output matches this regular expression (RE2) within its first 4 KiB.")
          .form(TextForm::kRegex),
      optional("file", &T::file, "This file appears.")};
};

template <>
struct Schema<HealthCheck> {
  using T = HealthCheck;
  static constexpr std::string_view name = "healthcheck";
  static constexpr std::array<std::string_view, 4> exactly_one{"test", "http", "tcp", "file"};
  static constexpr auto fields = std::tuple{
      optional("test", &T::test, "A command that exits with 0; Compose's CMD, CMD-SHELL and NONE forms work.")
          .as(Kind::kHealthTest),
      optional("http", &T::http, "A request that is answered."),
      optional("tcp", &T::tcp, "An address that accepts a connection."),
      optional("file", &T::file, "A file that is fresh."),
      optional("interval", &T::interval, "The pause between two checks.").positive(),
      optional("timeout", &T::timeout, "The time limit of one check.").positive(),
      optional("retries", &T::retries, "Failures in a row that make the worker unhealthy.").range(1, 1'000'000),
      optional("start_period", &T::start_period, "Failures do not count for this long after a start."),
      optional("start_interval", &T::start_interval, "The pause between checks during start_period.").positive(),
      optional("on_failure", &T::on_failure, "What happens to an unhealthy worker.")};
};

template <>
struct Schema<StopStep> {
  using T = StopStep;
  static constexpr std::string_view name = "stop step";
  static constexpr auto fields =
      std::tuple{required("signal", &T::signal, "A signal's name or number."),
                 optional("wait", &T::wait, "How long before the next step; SIGKILL follows the last one.")};
};

template <>
struct Schema<Ulimit> {
  using T = Ulimit;
  static constexpr std::string_view name = "ulimits";
  static constexpr std::string_view shorthand = "soft";
  static constexpr auto fields = std::tuple{
      optional("soft", &T::soft, "What holds now. Unset: as hard.").as(Kind::kLimit),
      optional("hard", &T::hard, "How far the worker may raise it itself. Unset: as soft.").as(Kind::kLimit)};
};

template <>
struct Schema<WorkerLogging> {
  using T = WorkerLogging;
  static constexpr std::string_view name = "logging";
  static constexpr auto fields = std::tuple{
      optional(
          "format", &T::format,
          "`prefix` puts time and name before each line, `json` makes it an object, `raw` changes nothing: without "
          "a file such a worker writes to the container's own output. Unset: as the section `logging`."),
      optional("file", &T::file, "A file for the lines, mode 0640. Empty: the container's standard output.")
          .form(TextForm::kAbsolutePath),
      optional("max_size", &T::max_size, "The file is rotated before it grows beyond this. 0: never by size."),
      optional("max_age", &T::max_age, "The file is rotated with the first line after this long. 0: never by age."),
      optional("max_files", &T::max_files, "How many rotated files are kept. 0: no limit.").range(0, 100'000),
      optional("max_total", &T::max_total, "What the file and its rotated ones may take together. 0: no limit."),
      optional("compress", &T::compress, "Compress rotated files with gzip, else zstd, where the image has one."),
      optional("on_full", &T::on_full,
               "When nobody reads the output: the worker blocks itself, or lines are dropped and counted.")};
};

template <>
struct Schema<Hook> {
  using T = Hook;
  static constexpr std::string_view name = "hook";
  static constexpr std::string_view shorthand = "command";
  static constexpr auto fields =
      std::tuple{required("command", &T::command, "What runs, as the worker's user, in its directory and environment."),
                 optional("timeout", &T::timeout,
                          "Its time limit; then TERM, and KILL a second later. Unset: 60s for pre_start, 10s for "
                          "post_stop, stop_grace_period for stop_command.")
                     .positive()};
};

template <>
struct Schema<Schedule> {
  using T = Schedule;
  static constexpr std::string_view name = "schedule";
  static constexpr std::string_view shorthand = "cron";
  static constexpr std::array<std::string_view, 2> exactly_one{"cron", "every"};
  static constexpr auto fields = std::tuple{
      optional("cron", &T::cron,
               "Minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly."),
      optional("every", &T::every, "The time from one due run to the next, counted from the boot. At least 100ms."),
      optional("timezone", &T::timezone, "The zone of `cron`; another one than UTC needs tzdata in the image."),
      optional("overlap", &T::overlap,
               "When the last run is not over: forbid skips the run, replace stops the old one first, allow starts it "
               "beside the old one."),
      optional("max_runs", &T::max_runs, "How many may run at the same time, with `overlap: allow`.").range(2, 100),
      optional("jitter", &T::jitter, "Each run starts up to this much later, at random."),
      optional("run_at_boot", &T::run_at_boot, "Also run once as soon as the dependencies hold.")};
};

template <>
struct Schema<Worker> {
  using T = Worker;
  static constexpr std::string_view name = "worker";
  static constexpr auto fields = std::tuple{
      required("command", &T::command, "What runs: a string is split as a shell splits words, a list is taken as is."),
      optional("type", &T::type,
               "A service runs until it is stopped; a oneshot must finish; a scheduled job runs when `schedule` says."),
      optional("enabled", &T::enabled, "False: the worker is skipped."),
      optional("working_dir", &T::working_dir, "The working directory."),
      optional("environment", &T::environment, "Variables on top of the common ones.").variables(),
      optional("env_file", &T::env_file, "Dotenv files below `environment`, the last one wins.").one_or_list(),
      optional("user", &T::user, "A name or number. Empty: Slipway's own user."),
      optional("group", &T::group, "A name or number. Empty: the user's own group."),
      optional("supplementary_groups", &T::supplementary_groups, "More groups.").one_or_list(),
      optional("umask", &T::umask, "The file mode creation mask."),
      optional("ulimits", &T::ulimits, "Limits of setrlimit(2) by name: nofile, nproc, core, memlock, stack and so on.")
          .keys(KeyStyle::kLowerCase),
      optional("nice", &T::nice, "The scheduling priority; less than 0 needs CAP_SYS_NICE.").range(-20, 19),
      optional("oom_score_adj", &T::oom_score_adj,
               "1000: the kernel ends it first when memory runs out; less than Slipway's own needs CAP_SYS_RESOURCE.")
          .range(-1000, 1000),
      optional(
          "cap_add", &T::cap_add,
          "Capabilities it has as any user; `all`: what the container has. One that the container lacks is refused.")
          .one_or_list()
          .form(TextForm::kCapability),
      optional("cap_drop", &T::cap_drop,
               "Capabilities that it can never have; `all`: every one that cap_add does not list.")
          .one_or_list()
          .form(TextForm::kCapability),
      optional("no_new_privileges", &T::no_new_privileges,
               "No program that it executes gains privileges (setuid bits)."),
      optional("replicas", &T::replicas, "How many run; each sees $REPLICA and $REPLICAS.").range(1, 10'000),
      optional("depends_on", &T::depends_on, "What must hold before it starts; a list of names means `started`.")
          .names_or_map(),
      optional("ready", &T::ready, "When a start counts as done. Unset: as soon as the process runs."),
      optional(
          "start_timeout", &T::start_timeout,
          "Until ready, or until a oneshot or a run finished. 0: no limit. Unset: 60s for a service, else no limit."),
      optional("healthcheck", &T::healthcheck, "Checks that go on while the worker runs."),
      optional("watchdog", &T::watchdog,
               "The longest pause between two WATCHDOG=1 to $NOTIFY_SOCKET (systemd); then it is aborted. 0: none."),
      optional("restart", &T::restart, "When it starts again. Unset: on-failure for a service, else no."),
      optional("restart_delay", &T::restart_delay, "The pause before the first restart."),
      optional("restart_max_delay", &T::restart_max_delay, "The longest pause.").positive(),
      optional("restart_backoff", &T::restart_backoff, "The factor from one pause to the next.").range(1, 100),
      optional("restart_jitter", &T::restart_jitter, "How much a pause varies at random.").as(Kind::kPercent),
      optional("start_limit_burst", &T::start_limit_burst, "This many starts within the interval, then it gives up.")
          .range(1, 1'000'000),
      optional("start_limit_interval", &T::start_limit_interval, "The interval of start_limit_burst. 0: no limit."),
      optional("success_exit_status", &T::success_exit_status, "Exit codes that count as success.")
          .one_or_list()
          .range(0, 255),
      optional("critical", &T::critical,
               "Giving up on it stops the container with a failure. Unset: false for a scheduled job."),
      optional("stop_signal", &T::stop_signal, "The signal that asks it to stop."),
      optional("stop_grace_period", &T::stop_grace_period, "How long it may take before SIGKILL."),
      optional("stop_sequence", &T::stop_sequence, "Several signals, instead of the two keys above."),
      optional("kill_mode", &T::kill_mode, "Signals go to the whole process group, or to the process alone."),
      optional("reload_signal", &T::reload_signal, "The signal that makes it read its configuration again."),
      optional("logging", &T::logging, "How its output is written."),
      optional("pre_start", &T::pre_start,
               "Runs before each start. The worker starts when it succeeds; otherwise the start has failed."),
      optional("stop_command", &T::stop_command,
               "Runs before the stop's first signal, with the worker's process in $MAINPID. The stop signal follows "
               "when it has ended, so a command that only asks should wait for the worker's end too."),
      optional("post_stop", &T::post_stop,
               "Runs after each end of the worker, also of a start that failed, and before the next start."),

      optional("schedule", &T::schedule, "When a scheduled job runs; implies `type: scheduled`.")};
};

}  // namespace slipway::config
