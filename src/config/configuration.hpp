#pragma once
// The configuration as the rest of the program sees it: plain values, const after loading. Member initialisers are
// the defaults. The tables in config/schema/ give each member its key, its help and its checks; nothing else
// repeats them.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/schedule/schedule.hpp"
#include "config/secret.hpp"

namespace slipway::config {

using Duration = std::chrono::milliseconds;
/// Ordered, so that everything derived from it (plans, child environments, hashes) is reproducible.
using StringMap = std::map<std::string, std::string>;

/// An argument vector. A string in the file is split as a shell splits words (quotes and backslashes, no expansion
/// and no shell); a list is taken as it is.
struct CommandLine {
  std::vector<std::string> argv;
  [[nodiscard]] bool empty() const { return argv.empty(); }
  bool operator==(const CommandLine&) const = default;
};

/// A signal by number; written as TERM, SIGTERM or 15.
struct Signal {
  int number = 15;
  bool operator==(const Signal&) const = default;
};

/// Permission bits, written in octal ("0644").
struct FileMode {
  unsigned bits = 0644;
  bool operator==(const FileMode&) const = default;
};

/// Bytes, written as 512KiB, 10MiB or 1GB.
struct Size {
  std::uint64_t bytes = 0;
  bool operator==(const Size&) const = default;
};

// --- environment -----------------------------------------------------------------------------------------------

/// Exactly one of file (dotenv), json_file and json_base64 is set.
struct EnvironmentSource {
  std::string file;
  std::string json_file;
  std::string json_base64;
  bool required = true;
  bool operator==(const EnvironmentSource&) const = default;
};

struct Template {
  std::string from;
  std::string to;
  FileMode mode;
  bool operator==(const Template&) const = default;
};

// --- database --------------------------------------------------------------------------------------------------

enum class Backend { kNone, kSqlite, kPostgres };
enum class JournalMode { kWal, kDelete, kTruncate, kPersist, kMemory, kOff };
enum class Synchronous { kOff, kNormal, kFull, kExtra };
enum class StartupCheck { kOff, kQuick, kFull };

struct SqliteDatabase {
  std::string path;
  JournalMode journal_mode = JournalMode::kWal;
  Duration busy_timeout = std::chrono::seconds(20);
  Synchronous synchronous = Synchronous::kNormal;
  StartupCheck startup_check = StartupCheck::kQuick;
  bool operator==(const SqliteDatabase&) const = default;
};

struct PostgresWait {
  Duration timeout = std::chrono::seconds(120);
  Duration interval = std::chrono::milliseconds(250);
  bool operator==(const PostgresWait&) const = default;
};

struct PostgresCluster {
  std::string data_dir = "/var/lib/postgresql/data";
  std::string bin_dir = "auto";  ///< "auto" (newest installed), a major version, or a directory
  std::string os_user = "postgres";
  std::string listen_addresses = "localhost";
  std::vector<std::string> initdb_args;
  std::string init_scripts = "/docker-entrypoint-initdb.d";
  StringMap settings;
  std::vector<std::string> hba;
  bool operator==(const PostgresCluster&) const = default;
};

enum class SslMode { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };
enum class ChannelBinding { kDisable, kPrefer, kRequire };
enum class TargetSessionAttrs { kAny, kReadWrite, kReadOnly, kPrimary, kStandby, kPreferStandby };

struct PostgresDatabase {
  bool local = false;
  std::string host = "localhost";  ///< one or several, comma-separated
  std::string port = "5432";       ///< one for all hosts, or one per host, comma-separated
  std::string name = "app";
  std::string user = "app";
  Secret password;
  std::string password_file;
  std::string schema;
  SslMode sslmode = SslMode::kPrefer;
  std::string sslrootcert;
  ChannelBinding channel_binding = ChannelBinding::kPrefer;
  Duration connect_timeout = std::chrono::seconds(5);
  TargetSessionAttrs target_session_attrs = TargetSessionAttrs::kAny;
  std::vector<std::string> extensions;
  PostgresWait wait;
  PostgresCluster cluster;
  bool operator==(const PostgresDatabase&) const = default;
};

enum class ExportForm { kUrl, kDsn, kJdbc, kHost, kPort, kName, kUser, kPassword, kSchema, kSslmode, kPath, kBackend };

/// The driver suffix per backend: postgresql+asyncpg://, sqlite+aiosqlite:///.
struct ExportDriver {
  std::string postgres;
  std::string sqlite;
  bool operator==(const ExportDriver&) const = default;
};

struct Export {
  ExportForm form = ExportForm::kUrl;
  ExportDriver driver;
  bool operator==(const Export&) const = default;
};

struct Database {
  Backend backend = Backend::kNone;
  Secret url;  ///< wins over the components; may hold a password
  SqliteDatabase sqlite;
  PostgresDatabase postgres;
  std::map<std::string, Export> exports;  ///< the key is `export`
  bool operator==(const Database&) const = default;
};

// --- migrations ------------------------------------------------------------------------------------------------

enum class MigrationTool { kCommand, kAlembic, kDjango };
enum class MigrationFailure { kStop, kContinue };

struct MigrationStep {
  std::string name;
  CommandLine command;
  bool operator==(const MigrationStep&) const = default;
};

struct MigrationLock {
  Duration timeout = std::chrono::minutes(5);
  std::string key = "auto";
  bool operator==(const MigrationLock&) const = default;
};

struct Migrations {
  bool on_startup = true;
  MigrationTool tool = MigrationTool::kCommand;
  CommandLine command;
  std::vector<MigrationStep> steps;
  CommandLine check_command;
  CommandLine verify_command;
  std::vector<std::string> prepare_sql;
  std::string working_dir;
  std::string user;
  StringMap environment;
  Duration timeout = std::chrono::minutes(30);
  MigrationLock lock;
  bool backup = true;
  MigrationFailure on_failure = MigrationFailure::kStop;
  bool operator==(const Migrations&) const = default;
};

struct Backup {
  std::string dir;  ///< empty: beside the SQLite database; <state_dir>/backups for PostgreSQL
  unsigned keep = 5;
  bool operator==(const Backup&) const = default;
};

// --- workers ---------------------------------------------------------------------------------------------------

enum class WorkerType { kService, kOneshot, kScheduled };
enum class Condition { kStarted, kHealthy, kCompleted };
enum class Restart { kNo, kAlways, kOnFailure, kUnlessStopped };
enum class KillMode { kGroup, kProcess };
enum class HealthAction { kRestart, kShutdown, kIgnore };

struct Dependency {
  Condition condition = Condition::kStarted;
  bool required = true;
  bool operator==(const Dependency&) const = default;
};

/// host is an IP literal or "localhost": a name look-up would block PID 1.
struct TcpProbe {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const TcpProbe&) const = default;
};

struct HttpProbe {
  std::string url;  ///< http://127.0.0.1:8000/health; IP literal or localhost, no TLS
  StringMap headers;
  std::vector<unsigned> status;  ///< accepted codes; empty: 200-399
  bool operator==(const HttpProbe&) const = default;
};

struct FileProbe {
  std::string path;
  Duration max_age{0};  ///< 0: existence is enough
  bool operator==(const FileProbe&) const = default;
};

/// Exactly one is set.
struct Readiness {
  std::optional<int> notify_fd;
  bool sd_notify = false;
  std::optional<TcpProbe> tcp;
  std::optional<HttpProbe> http;
  CommandLine exec;
  std::string log_line;  ///< a regular expression; see line_pattern.hpp
  std::optional<FileProbe> file;
  bool operator==(const Readiness&) const = default;
};

/// Exactly one of test, http, tcp and file is set.
struct HealthCheck {
  CommandLine test;  ///< Compose's forms: [CMD, ...], [CMD-SHELL, text], a plain list, or a string
  std::optional<HttpProbe> http;
  std::optional<TcpProbe> tcp;
  std::optional<FileProbe> file;
  Duration interval = std::chrono::seconds(30);
  Duration timeout = std::chrono::seconds(30);
  unsigned retries = 3;
  Duration start_period{0};
  Duration start_interval = std::chrono::seconds(5);
  HealthAction on_failure = HealthAction::kRestart;
  bool operator==(const HealthCheck&) const = default;
};

struct StopStep {
  Signal signal;
  Duration wait = std::chrono::seconds(10);
  bool operator==(const StopStep&) const = default;
};

/// A limit of setrlimit(2), in its own unit. What is unset is as the other one.
constexpr std::int64_t kUnlimited = -1;
struct Ulimit {
  std::optional<std::int64_t> soft;
  std::optional<std::int64_t> hard;
  bool operator==(const Ulimit&) const = default;
};

enum class WorkerLogFormat { kPrefix, kRaw, kJson };
enum class OnFull { kBlock, kDrop };

/// How a worker's output is written.
struct WorkerLogging {
  std::optional<WorkerLogFormat> format;  ///< unset: as Slipway's own lines, prefix for text and json for json
  std::string file;                       ///< empty: the container's standard output
  Size max_size{10U << 20U};              ///< 0: no rotation by size
  Duration max_age{0};                    ///< 0: no rotation by age
  unsigned max_files = 5;                 ///< rotated files that are kept; 0: no limit
  Size max_total;                         ///< of all files together; 0: no limit
  bool compress = false;
  OnFull on_full = OnFull::kBlock;
  bool operator==(const WorkerLogging&) const = default;
};

/// A command beside the worker's own process.
struct Hook {
  CommandLine command;
  std::optional<Duration> timeout;
  bool operator==(const Hook&) const = default;
};

struct Worker {
  CommandLine command;
  WorkerType type = WorkerType::kService;
  bool enabled = true;
  std::string working_dir;
  StringMap environment;
  std::vector<std::string> env_file;
  std::string user;
  std::string group;
  std::vector<std::string> supplementary_groups;
  std::optional<FileMode> umask;
  std::map<std::string, Ulimit> ulimits;  ///< by the names of limit_resource()
  std::optional<int> nice;
  std::optional<int> oom_score_adj;
  std::vector<std::string> cap_add;  ///< the names of capability_number(), or `all`
  std::vector<std::string> cap_drop;
  bool no_new_privileges = false;
  unsigned replicas = 1;
  std::map<std::string, Dependency> depends_on;
  std::optional<Readiness> ready;
  std::optional<Duration> start_timeout;  ///< unset: 60s for a service, no limit for a oneshot
  std::optional<HealthCheck> healthcheck;
  Duration watchdog{0};            ///< 0: none
  std::optional<Restart> restart;  ///< unset: on-failure for a service, no for a oneshot
  Duration restart_delay = std::chrono::milliseconds(100);
  Duration restart_max_delay = std::chrono::seconds(30);
  double restart_backoff = 2;
  double restart_jitter = 0.1;  ///< a fraction; written as 10%
  unsigned start_limit_burst = 5;
  Duration start_limit_interval = std::chrono::seconds(60);
  std::vector<unsigned> success_exit_status{0};
  bool critical = true;  ///< unset: false for a scheduled worker
  Signal stop_signal;
  Duration stop_grace_period = std::chrono::seconds(10);
  std::vector<StopStep> stop_sequence;  ///< replaces stop_signal and stop_grace_period
  KillMode kill_mode = KillMode::kGroup;
  std::optional<Signal> reload_signal;
  WorkerLogging logging;
  std::optional<Hook> pre_start;     ///< timeout unset: 60s
  std::optional<Hook> stop_command;  ///< timeout unset: stop_grace_period
  std::optional<Hook> post_stop;     ///< timeout unset: 10s
  std::optional<Schedule> schedule;
  bool operator==(const Worker&) const = default;
};

// --- the rest --------------------------------------------------------------------------------------------------

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };
enum class Color { kAuto, kAlways, kNever };

struct Logging {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  bool timestamps = true;
  Color color = Color::kAuto;
  bool operator==(const Logging&) const = default;
};

struct Markers {
  std::string directory = "/run/slipway/markers";
  std::string migrate_done;  ///< an extra copy of migrate.done under a path that others expect
  bool operator==(const Markers&) const = default;
};

struct Control {
  std::string socket = "/run/slipway/control.sock";
  FileMode mode{0600};
  std::string group;
  bool operator==(const Control&) const = default;
};

struct Http {
  std::string listen;  ///< empty: off
  std::string user = "nobody";
  bool operator==(const Http&) const = default;
};

struct Shutdown {
  Duration timeout = std::chrono::seconds(120);
  std::string exit_code_from;
  bool operator==(const Shutdown&) const = default;
};

struct Configuration {
  std::string name = "app";
  StringMap environment;
  std::vector<EnvironmentSource> environment_sources;
  std::string environment_output;
  std::vector<Template> templates;
  Database database;
  Migrations migrations;
  Backup backup;
  std::map<std::string, Worker> workers;
  Logging logging;
  Markers markers;
  std::string state_dir = "/var/lib/slipway";
  Control control;
  Http http;
  Shutdown shutdown;
  bool operator==(const Configuration&) const = default;
};

/// True when a migration is configured: a tool other than `command`, a command, or steps.
[[nodiscard]] inline bool has_migrations(const Migrations& migrations) {
  return migrations.tool != MigrationTool::kCommand || !migrations.command.empty() || !migrations.steps.empty();
}

}  // namespace slipway::config
