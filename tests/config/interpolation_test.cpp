#include "config/loading/interpolation.hpp"

#include "config/words.hpp"
#include "loading_fixture.hpp"

namespace slipway::config {
namespace {

const StringMap kVariables{{"A", "a"}, {"EMPTY", ""}, {"TRICK", "${A} } : # $$"}, {"DB_PASSWORD", "hunter22"}};

std::string expand(std::string_view text) {
  auto result = interpolate(text, kVariables);
  return result ? result->text : "error at " + std::to_string(result.error().offset) + ": " + result.error().message;
}

TEST(Interpolation, ReplacesEveryForm) {
  EXPECT_EQ(expand("x${A}y"), "xay");
  EXPECT_EQ(expand("${NONE}"), "");
  EXPECT_EQ(expand("${A:-d}${EMPTY:-d}${NONE:-d}"), "add");
  EXPECT_EQ(expand("${A-d}|${EMPTY-d}|${NONE-d}"), "a||d");
  EXPECT_EQ(expand("${A:+d}|${EMPTY:+d}|${NONE:+d}"), "d||");
  EXPECT_EQ(expand("${A+d}|${EMPTY+d}|${NONE+d}"), "d|d|");
  EXPECT_EQ(expand("${A:?m}|${EMPTY?m}"), "a|");
  EXPECT_EQ(expand("${NONE:-${EMPTY:-${A}}}"), "a");
  EXPECT_EQ(expand("${NONE:-a:b-c?d+e{f}"), "a:b-c?d+e{f");
}

TEST(Interpolation, LeavesOtherDollarsAlone) {
  EXPECT_EQ(expand("$A $ $1 $(ls) $"), "$A $ $1 $(ls) $");
  EXPECT_EQ(expand("$${A} $$$$ $$${A}"), "${A} $$ $a");
}

TEST(Interpolation, NeverExpandsAValueAgain) { EXPECT_EQ(expand("${TRICK}"), "${A} } : # $$"); }

TEST(Interpolation, DoesNotEvaluateWhatIsNotUsed) {
  EXPECT_EQ(expand("${A:-${NONE:?never asked}}"), "a");
  EXPECT_EQ(expand("${NONE:+${NONE:?never asked}}"), "");
}

TEST(Interpolation, RefusesWhatItCannotRead) {
  EXPECT_EQ(expand("ab${NONE:?say why}"), "error at 2: the variable NONE is required: say why");
  EXPECT_EQ(expand("${EMPTY:?}"), "error at 0: the variable EMPTY is required");
  for (const char* wrong : {"${", "${}", "${A", "${A:-x", "${A:}", "${A x}", "${-A}", "${A:-${}"})
    EXPECT_TRUE(expand(wrong).starts_with("error at ")) << wrong << " gave " << expand(wrong);
  std::string deep = "x";
  for (int i = 0; i < 40; ++i) deep = "${NONE:-" + deep + "}";
  EXPECT_EQ(expand(deep), "error at 128: variables are nested deeper than 16 levels");
}

TEST(Interpolation, KnowsWhenASecretTookPart) {
  EXPECT_TRUE(interpolate("${DB_PASSWORD}", kVariables)->used_secret);
  EXPECT_FALSE(interpolate("${A}", kVariables)->used_secret);
}

using Overrides = LoadingTest;
const std::string kFile = R"(
database: {backend: sqlite, sqlite: {path: /data/app.db}, postgres: {cluster: {settings: {Max_Connections: 10}}}}
workers:
  Web-App:
    command: run
    depends_on: [cache]
    healthcheck: {file: /tmp/alive}
  cache: {command: redis, stop_signal: "${NEEDED:?}"}
)";

TEST_F(Overrides, ReplaceAnyKey) {
  const Configuration configuration =
      good(kFile, {{"SLIPWAY__DATABASE__SQLITE__PATH", "/other/$A ${B}.db"},
                   {"SLIPWAY__database__postgres__cluster__settings__MAX_CONNECTIONS", "50"},
                   {"SLIPWAY__DATABASE__POSTGRES__CLUSTER__SETTINGS__WORK_MEM", "8MB"},
                   {"SLIPWAY__DATABASE__EXPORT__DATABASE_URL__FORM", "dsn"},
                   {"SLIPWAY__ENVIRONMENT__TZ", "Europe/Vienna"},
                   {"SLIPWAY__ENVIRONMENT__A__B", "double"},
                   {"SLIPWAY__LOGGING", "{level: debug, timestamps: off}"},
                   {"SLIPWAY__NAME", "true"},
                   {"SLIPWAY__WORKERS__CACHE__ENABLED", "yes"},
                   {"SLIPWAY__WORKERS__CACHE__STOP_SIGNAL", "INT"},
                   {"SLIPWAY__WORKERS__WEB_APP__COMMAND", "run 'very fast'"},
                   {"SLIPWAY__WORKERS__WEB_APP__ENV_FILE", "[a.env, b.env]"},
                   {"SLIPWAY__WORKERS__WEB_APP__HEALTHCHECK__FILE__MAX_AGE", "60s"},
                   {"SLIPWAY__WORKERS__WEB_APP__REPLICAS", "3"}})
          .configuration;
  EXPECT_EQ(configuration.database.sqlite.path, "/other/$A ${B}.db");
  EXPECT_EQ(configuration.database.postgres.cluster.settings,
            (StringMap{{"Max_Connections", "50"}, {"work_mem", "8MB"}}));
  EXPECT_EQ(configuration.database.exports.at("DATABASE_URL").form, ExportForm::kDsn);
  EXPECT_EQ(configuration.environment, (StringMap{{"TZ", "Europe/Vienna"}, {"A__B", "double"}}));
  EXPECT_EQ(configuration.logging.level, LogLevel::kDebug);
  EXPECT_FALSE(configuration.logging.timestamps);
  EXPECT_EQ(configuration.name, "true");
  const Worker& web = configuration.workers.at("Web-App");
  EXPECT_EQ(web.command.argv, (std::vector<std::string>{"run", "very fast"}));
  EXPECT_EQ(web.env_file, (std::vector<std::string>{"a.env", "b.env"}));
  EXPECT_EQ(web.healthcheck->file->path, "/tmp/alive");
  EXPECT_EQ(web.healthcheck->file->max_age, std::chrono::seconds(60));
  EXPECT_EQ(web.replicas, 3U);
  EXPECT_EQ(configuration.workers.at("cache").stop_signal.number, 2);
}

TEST_F(Overrides, WorkWithoutAnyFile) {
  const auto loaded = load({"", {{"SLIPWAY__NAME", "shop"}}, directory_});
  ASSERT_TRUE(loaded.has_value()) << listing(loaded.error());
  EXPECT_EQ(loaded->source, "");
  EXPECT_EQ(loaded->configuration.name, "shop");
}

TEST_F(Overrides, BooleansAreLooseOnlyFromVariables) {
  for (const auto& [text, value] : {std::pair{"on", true},
                                    {"YES", true},
                                    {"1", true},
                                    {"off", false},
                                    {"No", false},
                                    {"0", false},
                                    {"False", false}}) {
    EXPECT_EQ(good("workers: {web: {command: run, enabled: \"${FLAG}\"}}", {{"FLAG", text}})
                  .configuration.workers.at("web")
                  .enabled,
              value)
        << text;
  }
}

}  // namespace
}  // namespace slipway::config
