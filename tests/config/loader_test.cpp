#include "config/loader.hpp"

#include "config/words.hpp"
#include "loading_fixture.hpp"

namespace slipway::config {
namespace {

using Loader = LoadingTest;

TEST_F(Loader, ReadsEverySection) {
  const Loaded loaded = good(R"(
x-defaults: &defaults
  restart: no
  stop_grace_period: 1h30m
name: shop
environment: {TZ: UTC, PORT: 8080, DEBUG: true}
database:
  backend: neon
  url: postgresql+asyncpg://app:s3cr%40t!@db/app
  postgres: {local: false, wait: {timeout: 5s}, extensions: pg_trgm, cluster: {settings: {max_connections: 50}}}
  export: {DATABASE_URL: {form: url, driver: {postgres: asyncpg}}, DB_HOST: host}
migrations: {tool: django, timeout: 0}
backup: {keep: 3}
workers:
  web:
    <<: *defaults
    command: gunicorn 'app:make()' -b 0.0.0.0:8000
    replicas: 4
    depends_on: {migrate: {condition: completed}, cache: {condition: healthy, required: false}}
    ready: {http: "http://127.0.0.1:8000/health"}
    healthcheck: {test: [CMD-SHELL, "curl -f localhost || exit 1"], interval: 10s}
    restart: always
    restart_jitter: 25%
    stop_signal: SIGINT
    umask: "0027"
    ulimits: {nofile: 1024, core: {soft: 0, hard: unlimited}, memlock: -1}
    nice: -5
    oom_score_adj: 100
    cap_add: NET_BIND_SERVICE
    cap_drop: [all]
    no_new_privileges: true
  cache:
    command: [redis-server, --port, 6379]
    ready: {tcp: "[::1]:6379"}
    stop_sequence: [{signal: INT, wait: 30s}, {signal: 3}]
logging: {level: warn, format: json}
markers: {migrate_done: /tmp/migrate.done}
control: {mode: "0660", group: ops}
http: {listen: 127.0.0.1:9180}
shutdown: {timeout: 60s, exit_code_from: web}
)");
  const Configuration& configuration = loaded.configuration;
  EXPECT_EQ(configuration.name, "shop");
  EXPECT_EQ(configuration.environment, (StringMap{{"TZ", "UTC"}, {"PORT", "8080"}, {"DEBUG", "true"}}));
  EXPECT_STREQ(to_string(configuration.database.backend), "postgres");
  EXPECT_EQ(configuration.database.postgres.wait.timeout, std::chrono::seconds(5));
  EXPECT_EQ(configuration.database.postgres.extensions, std::vector<std::string>{"pg_trgm"});
  EXPECT_EQ(configuration.database.exports.at("DATABASE_URL").driver.postgres, "asyncpg");
  EXPECT_EQ(configuration.database.exports.at("DB_HOST").form, ExportForm::kHost);
  EXPECT_EQ(configuration.migrations.tool, MigrationTool::kDjango);
  EXPECT_EQ(configuration.migrations.timeout, Duration(0));
  const Worker& web = configuration.workers.at("web");
  EXPECT_EQ(web.command.argv, (std::vector<std::string>{"gunicorn", "app:make()", "-b", "0.0.0.0:8000"}));
  EXPECT_EQ(web.restart, Restart::kAlways);
  EXPECT_EQ(web.stop_grace_period, std::chrono::minutes(90));
  EXPECT_DOUBLE_EQ(web.restart_jitter, 0.25);
  EXPECT_EQ(web.umask->bits, 027U);
  EXPECT_EQ(web.ulimits, (std::map<std::string, Ulimit>{
                             {"core", {0, kUnlimited}}, {"memlock", {kUnlimited, {}}}, {"nofile", {1024, {}}}}));
  EXPECT_EQ(web.nice, -5);
  EXPECT_EQ(web.oom_score_adj, 100);
  EXPECT_EQ(web.cap_add, std::vector<std::string>{"NET_BIND_SERVICE"});
  EXPECT_EQ(web.cap_drop, std::vector<std::string>{"all"});
  EXPECT_TRUE(web.no_new_privileges);
  EXPECT_EQ(web.ready->http->url, "http://127.0.0.1:8000/health");
  EXPECT_EQ(web.healthcheck->test.argv, (std::vector<std::string>{"/bin/sh", "-c", "curl -f localhost || exit 1"}));
  EXPECT_EQ(configuration.workers.at("cache").stop_sequence[1].signal.number, 3);
  EXPECT_EQ(configuration.workers.at("cache").ready->tcp, (TcpProbe{"::1", 6379}));
  EXPECT_EQ(configuration.control.mode.bits, 0660U);
  EXPECT_EQ(loaded.secrets, (std::vector<std::string>{"s3cr%40t!", "s3cr@t!"}));
  EXPECT_EQ(loaded.source, path("slipway.yaml"));
}

TEST_F(Loader, GivesTheSameResultTwice) {
  const std::string text =
      "workers: {web: {command: run, depends_on: {migrate: {}}}}\nenvironment: {API_KEY: abcdefg}\n";
  const Loaded first = good(text, {{"A", "1"}});
  const Loaded second = good(text, {{"A", "1"}});
  EXPECT_EQ(first.configuration, second.configuration);
  EXPECT_EQ(first.environment, second.environment);
  EXPECT_EQ(first.secrets, second.secrets);
  EXPECT_EQ(first.sha256, second.sha256);
  EXPECT_NE(first.sha256, good(text + "\n").sha256);
}

TEST_F(Loader, SearchesInTheDocumentedOrder) {
  const auto name = [&](const StringMap& environment, const std::string& option) {
    auto loaded = load({option, environment, directory_});
    return loaded ? loaded->configuration.name + " " + loaded->source : listing(loaded.error());
  };
  const std::string base64 = "bmFtZTogdmFyaWFibGUK";  // name: variable
  EXPECT_EQ(name({}, ""), "app ");
  write("slipway.json", R"({"name": "json"})");
  EXPECT_EQ(name({}, ""), "json " + path("slipway.json"));
  write("slipway.yml", "name: yml");
  EXPECT_EQ(name({}, ""), "yml " + path("slipway.yml"));
  write("slipway.yaml", "name: yaml");
  EXPECT_EQ(name({}, ""), "yaml " + path("slipway.yaml"));
  EXPECT_EQ(name({{"SLIPWAY_CONFIG_JSON_B64", base64}}, ""), "variable SLIPWAY_CONFIG_JSON_B64");
  write("named", "name: named");
  EXPECT_EQ(name({{"SLIPWAY_CONFIG_JSON_B64", base64}, {"SLIPWAY_CONFIG", path("named")}}, ""),
            "named " + path("named"));
  write("option", "name: option");
  EXPECT_EQ(name({{"SLIPWAY_CONFIG", path("named")}}, path("option")), "option " + path("option"));
  EXPECT_EQ(name({{"SLIPWAY_CONFIG", ""}, {"SLIPWAY_CONFIG_JSON_B64", ""}}, ""), "yaml " + path("slipway.yaml"));
}

TEST_F(Loader, RefusesWhatIsNoTextFile) {
  const auto reason = [&](const std::string& file) { return listing(load({file, {}, directory_}).error()); };
  EXPECT_EQ(reason(path("none")), "none: the configuration cannot be read: No such file or directory\n");
  EXPECT_EQ(reason("/dev/null"), "/dev/null: the configuration cannot be read: it is not a regular file\n");
  std::filesystem::create_directory(path("slipway.yaml"));
  EXPECT_EQ(reason(""), "slipway.yaml: the configuration cannot be read: it is a directory, expected a file\n");
  write("huge", std::string((1U << 20U) + 1, '#'));
  EXPECT_EQ(reason(path("huge")), "huge: the configuration cannot be read: it is larger than 1 MiB\n");
  EXPECT_EQ(listing(load({"", {{"SLIPWAY_CONFIG_JSON_B64", "?"}}, directory_}).error()),
            "SLIPWAY_CONFIG_JSON_B64: the value is not base64\n");
}

TEST_F(Loader, RefusesTextThatIsNotClean) {
  EXPECT_EQ(bad(std::string("name: a\0b\n", 10)), "slipway.yaml:1:8: control character U+0000 is not allowed\n");
  EXPECT_EQ(bad("a: \xC3\xB6\nname: \xFF\n"), "slipway.yaml:2:7: invalid UTF-8: save the file as UTF-8\n");
  EXPECT_EQ(bad("name: \xED\xA0\x80\n"), "slipway.yaml:1:7: invalid UTF-8: save the file as UTF-8\n");
  EXPECT_EQ(bad("name: \xC0\x80\n"), "slipway.yaml:1:7: invalid UTF-8: save the file as UTF-8\n");
  EXPECT_EQ(bad("name: a\n\x04workers: {}\n"), "slipway.yaml:2:1: control character U+0004 is not allowed\n");
  EXPECT_EQ(bad("\xFF\xFEn\0"), "slipway.yaml:1:1: invalid UTF-8: save the file as UTF-8\n");
}

TEST_F(Loader, AcceptsAByteOrderMarkAndWindowsLineEnds) {
  EXPECT_EQ(good("\xEF\xBB\xBFname: shop\r\nworkers:\r\n  web:\r\n    command: run\r\n").configuration.name, "shop");
  EXPECT_EQ(bad("\xEF\xBB\xBFnmae: shop\r\n"),
            "slipway.yaml:1:1: unknown key \"nmae\" in configuration; did you mean 'name'?\n");
}

TEST_F(Loader, ReadsJsonStrictly) {
  const Loaded loaded =
      good(R"({"name": "\ud83d\ude80", "workers": {"web": {"command": ["a", 1, true], "replicas": 2}}})", {}, "c.json");
  EXPECT_EQ(loaded.configuration.name, "🚀");
  EXPECT_EQ(loaded.configuration.workers.at("web").command.argv, (std::vector<std::string>{"a", "1", "true"}));
  EXPECT_EQ(bad("{\"name\": 'x'}", {}, "c.json"),
            "c.json:1:10: invalid JSON: expected a value; text needs double quotes\n");
  EXPECT_EQ(bad("{\"name\": \"x\",}", {}, "c.json"), "c.json:1:14: invalid JSON: expected a key in double quotes\n");
  EXPECT_EQ(bad("{\"name\": \"x\"} 1", {}, "c.json"), "c.json:1:15: invalid JSON: unexpected text after the value\n");
  EXPECT_EQ(bad("{\"name\": \"x", {}, "c.json"), "c.json:1:12: invalid JSON: a string is not closed\n");
  EXPECT_EQ(bad("{\"backup\": {\"keep\": 007}}", {}, "c.json"),
            "c.json:1:21: invalid JSON: expected a value; text needs double quotes\n");
  EXPECT_EQ(bad("{\"name\": \"\\ud83d\"}", {}, "c.json"), "c.json:1:11: invalid JSON: half of a surrogate pair\n");
  EXPECT_EQ(bad("", {}, "c.json"), "c.json:1:1: invalid JSON: the text is empty: expected JSON\n");
  EXPECT_EQ(bad(std::string(100'000, '['), {}, "c.json"), "c.json:1:66: invalid JSON: nested deeper than 64 levels\n");
}

TEST_F(Loader, ReadsJsonFromTheVariable) {
  // {"name": "🚀"} with a surrogate pair, which YAML would refuse
  const auto loaded = load({"", {{"SLIPWAY_CONFIG_JSON_B64", "eyJuYW1lIjogIlx1ZDgzZFx1ZGU4MCJ9"}}, directory_});
  ASSERT_TRUE(loaded.has_value()) << listing(loaded.error());
  EXPECT_EQ(loaded->configuration.name, "🚀");
}

TEST_F(Loader, MergesMapsAndResolvesAliases) {
  const Configuration configuration = good(R"(
x-base: &base {restart: always, replicas: 2, environment: &env {A: 1, B: 2}}
x-more: &more {replicas: 5, critical: false}
workers:
  a: {<<: [*base, *more], command: run}
  b: {command: run, replicas: 7, <<: *more, environment: {<<: *env, B: 3}}
)")
                                          .configuration;
  EXPECT_EQ(configuration.workers.at("a").replicas, 2U);
  EXPECT_FALSE(configuration.workers.at("a").critical);
  EXPECT_EQ(configuration.workers.at("b").replicas, 7U);
  EXPECT_EQ(configuration.workers.at("b").environment, (StringMap{{"A", "1"}, {"B", "3"}}));
}

TEST_F(Loader, ListsReplaceTheirDefaults) {
  EXPECT_EQ(good("workers: {web: {command: run, success_exit_status: 3}}")
                .configuration.workers.at("web")
                .success_exit_status,
            std::vector<unsigned>{3});
}

TEST_F(Loader, NullMeansNotGiven) {
  const Loaded loaded = good("name:\ndatabase:\nenvironment: {HOME: }\nworkers: {web: {command: run, replicas: ~}}\n",
                             {{"HOME", "/home/me"}});
  EXPECT_EQ(loaded.configuration.name, "app");
  EXPECT_EQ(loaded.environment.at("HOME"), "/home/me");
  EXPECT_EQ(loaded.configuration.workers.at("web").replicas, 1U);
}

TEST_F(Loader, ReadsTheFormsOfAHealthcheck) {
  const auto test = [&](const std::string& form) {
    const auto check = good("workers: {web: {command: run, healthcheck: {test: " + form + "}}}")
                           .configuration.workers.at("web")
                           .healthcheck;
    return check ? check->test.argv : std::vector<std::string>{"no check"};
  };
  using Words = std::vector<std::string>;
  EXPECT_EQ(test("[CMD, curl, -f, \"a b\"]"), (Words{"curl", "-f", "a b"}));
  EXPECT_EQ(test("[CMD-SHELL, \"a || b\"]"), (Words{"/bin/sh", "-c", "a || b"}));
  EXPECT_EQ(test("a || b"), (Words{"/bin/sh", "-c", "a || b"}));
  EXPECT_EQ(test("[plain, list]"), (Words{"plain", "list"}));
  EXPECT_EQ(test("NONE"), Words{"no check"});
  EXPECT_EQ(test("[NONE]"), Words{"no check"});
}

TEST_F(Loader, DependenciesOnTheDatabasesUnitsNeedNoDatabase) {
  const Worker web =
      good("workers: {web: {command: run, depends_on: [postgres, migrate, initdb]}}").configuration.workers.at("web");
  EXPECT_EQ(web.depends_on.at("migrate").condition, Condition::kCompleted);
  EXPECT_EQ(web.depends_on.at("postgres").condition, Condition::kStarted);
}

TEST_F(Loader, TakesTheBackendFromTheUrl) {
  const auto backend = [&](const std::string& url) {
    return std::string(to_string(good("database: {url: \"${URL:-}\"}", {{"URL", url}}).configuration.database.backend));
  };
  EXPECT_EQ(backend("postgresql+asyncpg://u@h/d"), "postgres");
  EXPECT_EQ(backend("postgres://u@h/d"), "postgres");
  EXPECT_EQ(backend("sqlite+aiosqlite:////data/x.db"), "sqlite");
  EXPECT_EQ(backend(""), "none");
}

TEST_F(Loader, LeavesTheCommandsOfAToolToTheDatabaseProgram) {
  const auto migrations =
      good("database: {backend: sqlite, sqlite: {path: /d}}\nmigrations: {tool: django}").configuration.migrations;
  EXPECT_TRUE(migrations.command.empty());
  EXPECT_TRUE(migrations.check_command.empty());
  EXPECT_TRUE(has_migrations(migrations));
}

TEST_F(Loader, FailureStillKnowsTheMarkers) {
  const auto directory = [&](const std::string& text, const StringMap& environment) {
    const auto loaded = load_text(text, environment);
    return loaded ? "loaded" : loaded.error().markers.directory;
  };
  EXPECT_EQ(directory("nonsense: 1\nmarkers: {directory: \"/m/${A}\"}\n", {{"A", "x"}}), "/m/x");
  EXPECT_EQ(directory("markers: {directory: /m}\nworkers: [\n", {}), "/m");
  EXPECT_EQ(directory("- [\n", {}), "/run/slipway/markers");
  EXPECT_EQ(directory("name: \xFF\n", {{"SLIPWAY__MARKERS__DIRECTORY", "/o"}}), "/o");
}

TEST_F(Loader, SurvivesTruncationAtEveryByte) {
  const std::string text =
      "x-a: &a {restart: no, b: [1, 'q', \"d\\n\"]}\nworkers:\n  web:\n    <<: *a\n    command: |\n      run\n"
      "    environment: {A: \"${B:-c}\"}\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto loaded = load_text(text.substr(0, length));
    EXPECT_TRUE(loaded.has_value() || !loaded.error().diagnostics.empty());
  }
}

TEST_F(Loader, SurvivesEveryByteBeingReplaced) {
  const std::string text =
      "workers:\n  web: {command: \"a b\", ready: {tcp: '[::1]:80'}, stop_sequence: [{signal: 3}]}\n";
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char byte : std::string("\0\t\"'[]{}&*!|>%@`:,#?-\n$\xFF", 25)) {
      std::string changed = text;
      changed[at] = byte;
      const auto loaded = load_text(changed);
      EXPECT_TRUE(loaded.has_value() || !loaded.error().diagnostics.empty());
    }
  }
}

}  // namespace
}  // namespace slipway::config
