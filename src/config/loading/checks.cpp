#include "config/loading/checks.hpp"

#include <algorithm>

#include "config/loading/scalars.hpp"
#include "config/notation.hpp"

namespace slipway::config {
namespace {

/// A URL without `backend` says it itself; with any driver suffix.
void complete_backend(Database& database) {
  const std::string& url = database.url.reveal();
  const std::string scheme = url.substr(0, url.find_first_of(":+"));
  if (scheme == "postgres" || scheme == "postgresql") database.backend = Backend::kPostgres;
  if (scheme == "sqlite") database.backend = Backend::kSqlite;
}

class Checks {
 public:
  Checks(const Configuration& configuration, const Places& places, Problems& problems)
      : configuration_(configuration), places_(places), problems_(problems) {}

  void run() {
    database();
    migrations();
    ports();
    outputs();
    for (const auto& [name, worker] : configuration_.workers) this->worker("workers." + name, worker);
    exit_code_from();
    check_logging(configuration_, places_, problems_);
    check_schedules(configuration_, places_, problems_);
    check_dependencies(configuration_, places_, problems_);
  }

 private:
  void at_key(const std::string& path, const std::string& message) { problems_.add(places_.key(path), message); }
  void at_value(const std::string& path, const std::string& message) { problems_.add(places_.value(path), message); }
  [[nodiscard]] bool given(const std::string& path) const { return places_.keys.contains(path); }
  [[nodiscard]] bool has_database() const { return configuration_.database.backend != Backend::kNone; }

  void database() {
    const Database& database = configuration_.database;
    const PostgresDatabase& postgres = database.postgres;
    if (database.backend == Backend::kSqlite && database.url.empty() && database.sqlite.path.empty())
      at_value("database.backend", "backend: sqlite needs the file: set sqlite.path or url");
    if (!has_database() && !database.url.empty() && given("database.backend"))
      at_value("database.backend", "backend: none, but there is a url: remove one of the two");
    if (!has_database() && !database.url.empty() && !given("database.backend"))
      at_value("database.url", "url: expected postgresql://... or sqlite:///..., with any driver suffix");
    if (!postgres.password.empty() && !postgres.password_file.empty())
      at_key("database.postgres.password_file", "password_file: set either password or password_file, not both");
    const auto count = [](const std::string& list) { return 1 + std::count(list.begin(), list.end(), ','); };
    if (count(postgres.port) > 1 && count(postgres.port) != count(postgres.host))
      at_value("database.postgres.port", "port: " + std::to_string(count(postgres.port)) + " ports for " +
                                             std::to_string(count(postgres.host)) +
                                             " hosts: give one port, or one per host");
  }

  void migrations() {
    const Migrations& migrations = configuration_.migrations;
    if (given("migrations.command") && !migrations.steps.empty())
      at_key("migrations.steps", "steps: set either command or steps, not both");
    if (migrations.tool != MigrationTool::kCommand && !has_database())
      at_value("migrations.tool", std::string("tool: ") +
                                      (migrations.tool == MigrationTool::kDjango ? "django" : "alembic") +
                                      " needs a database: set database.backend");
    if (!has_migrations(migrations) && given("migrations.verify_command"))
      at_key("migrations.verify_command", "verify_command: there is nothing to verify: set command, steps or tool");
    if (!has_migrations(migrations) && given("migrations.check_command"))
      at_key("migrations.check_command", "check_command: there is nothing to check: set command, steps or tool");
  }

  void ports() {
    const auto listen = parse_tcp_address(configuration_.http.listen);
    if (!listen) return;
    const std::string port = std::to_string(listen->port);
    const Database& database = configuration_.database;
    if (database.backend == Backend::kPostgres && database.postgres.local && database.postgres.port == port)
      at_value("http.listen", "listen: port " + port + " is already the database's");
    for (const auto& [name, worker] : configuration_.workers)
      if (worker.enabled && worker.ready && worker.ready->tcp && worker.ready->tcp->port == listen->port)
        at_value("http.listen", "listen: port " + port + " is already the worker's '" + name + "'");
  }

  void outputs() {
    std::map<std::string, std::string> writers;
    if (!configuration_.environment_output.empty()) writers[configuration_.environment_output] = "environment_output";
    for (std::size_t index = 0; index < configuration_.templates.size(); ++index) {
      const std::string path = "templates[" + std::to_string(index) + "]";
      const Template& entry = configuration_.templates[index];
      const auto [first, added] = writers.emplace(entry.to, path);
      if (!entry.to.empty() && !added)
        at_value(path + ".to", "to: " + shown({entry.to}) + " is already written by " + first->second);
      if (!entry.to.empty() && entry.to == entry.from) at_value(path + ".to", "to: the template would replace itself");
    }
  }

  void worker(const std::string& path, const Worker& worker) {
    if (worker.restart_max_delay < worker.restart_delay)
      at_value(given(path + ".restart_max_delay") ? path + ".restart_max_delay" : path + ".restart_delay",
               "restart_max_delay: " + format_duration(worker.restart_max_delay) + " is shorter than restart_delay, " +
                   format_duration(worker.restart_delay));
    for (const std::string key : {"stop_signal", "stop_grace_period"})
      if (given(path + ".stop_sequence") && given(path + "." + key))
        at_key(path + "." + key, key + ": stop_sequence replaces it: set one of the two");
    if (given(path + ".stop_sequence") && worker.stop_sequence.empty())
      at_value(path + ".stop_sequence", "stop_sequence: at least one step is needed");
    const bool repeats = worker.restart == Restart::kAlways || worker.restart == Restart::kUnlessStopped;
    if (worker.type == WorkerType::kOneshot && repeats)
      at_value(path + ".restart", "restart: a oneshot that succeeded would run again for ever: use on-failure or no");
    if (given(path + ".ready.sd_notify") && !worker.ready->sd_notify)
      at_value(path + ".ready.sd_notify", "sd_notify: false is no readiness: remove 'ready', or use true");
    if (given(path + ".success_exit_status") && worker.success_exit_status.empty())
      at_value(path + ".success_exit_status", "success_exit_status: at least one code is needed");
    check_process(path, worker, places_, problems_);
  }

  void exit_code_from() {
    const std::string& name = configuration_.shutdown.exit_code_from;
    if (name.empty() || name == "main" || configuration_.workers.contains(name)) return;
    std::vector<std::string_view> names;
    for (const auto& [known, worker] : configuration_.workers) names.push_back(known);
    at_value("shutdown.exit_code_from",
             "exit_code_from: there is no worker " + shown({name}) + suggestion(name, names));
  }

  const Configuration& configuration_;
  const Places& places_;
  Problems& problems_;
};

}  // namespace

void complete(Configuration& configuration, const Places& places) {
  if (!places.keys.contains("database.backend")) complete_backend(configuration.database);
  for (auto& [name, worker] : configuration.workers) {
    const auto given = [&](const char* key) { return places.keys.contains("workers." + name + "." + key); };
    if (worker.schedule && !given("type")) worker.type = WorkerType::kScheduled;
    if (worker.type == WorkerType::kScheduled && !given("critical")) worker.critical = false;
    if (worker.healthcheck && worker.healthcheck->test.argv == std::vector<std::string>{"NONE"})
      worker.healthcheck.reset();
    for (auto& [dependency, how] : worker.depends_on) {
      const bool oneshot = dependency == "initdb" || dependency == "database" || dependency == "migrate";
      if (oneshot && how.condition == Condition::kStarted) how.condition = Condition::kCompleted;
    }
  }
}

void check(const Configuration& configuration, const Places& places, Problems& problems) {
  Checks(configuration, places, problems).run();
}

}  // namespace slipway::config
