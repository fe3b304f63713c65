// Environment sources, what is written from them, templates, and which values count as secret.

#include <sys/stat.h>

#include "config/environment_files.hpp"
#include "config/loading/environment_sources.hpp"
#include "config/loading/secrets.hpp"
#include "loading_fixture.hpp"

namespace slipway::config {
namespace {

StringMap dotenv(std::string_view text, std::string* errors = nullptr) {
  Problems problems;
  StringMap variables = parse_dotenv(text, problems.add_file(".env"), problems);
  for (const Diagnostic& diagnostic : problems.sorted()) {
    if (errors == nullptr) ADD_FAILURE() << to_string(diagnostic);
    if (errors != nullptr) *errors += to_string(diagnostic) + "\n";
  }
  return variables;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Dotenv, ReadsEveryForm) {
  EXPECT_EQ(dotenv("# comment\n"
                   "\n"
                   "A=plain value  # comment\n"
                   "B=has#hash\n"
                   "export C = spaced\n"
                   "D='single $x \\n \\' \\\\'   # comment\n"
                   "E=\"double \\\"x\\\" \\t\\n\\\\ \\z\"\n"
                   "F=\"several\nlines\"\n"
                   "G=\n"
                   "H=''\n"
                   "I=${not_expanded} $HOME\n"
                   "export=1\n"
                   "J=last"),
            (StringMap{{"A", "plain value"},
                       {"B", "has#hash"},
                       {"C", "spaced"},
                       {"D", "single $x \\n ' \\"},
                       {"E", "double \"x\" \t\n\\ \\z"},
                       {"F", "several\nlines"},
                       {"G", ""},
                       {"H", ""},
                       {"I", "${not_expanded} $HOME"},
                       {"export", "1"},
                       {"J", "last"}}));
}

TEST(Dotenv, ReadsWindowsLineEnds) {
  EXPECT_EQ(dotenv("A=1\r\nB='2'\r\nC=\"x\r\ny\"\r\n"), (StringMap{{"A", "1"}, {"B", "2"}, {"C", "x\ny"}}));
}

TEST(Dotenv, TheLastOfTwoWins) { EXPECT_EQ(dotenv("A=1\nA=2\n"), (StringMap{{"A", "2"}})); }

TEST(Dotenv, ReportsEveryBadLineWithItsPlace) {
  std::string errors;
  dotenv("A=1\nnonsense\n 1B=2\nC='x' y\nÜ=1\n=3\nD=\"open\nE=1\n", &errors);
  EXPECT_EQ(errors,
            ".env:2:9: expected '=' after nonsense\n"
            ".env:3:2: expected NAME=value\n"
            ".env:4:7: unexpected text after the closing quote\n"
            ".env:5:1: expected NAME=value\n"
            ".env:6:1: expected NAME=value\n"
            ".env:7:3: the quote is not closed\n");
}

TEST(EnvironmentOutput, ReadsBackIdentically) {
  const StringMap hostile{{"BACKSLASH_LAST", "a b\\"},
                          {"BACKSLASHES", "\\\\ \\n \\\\\\"},
                          {"BARE_BACKSLASH", "C:\\temp\\"},
                          {"BRACES", "${HOME} $HOME $${x} ${"},
                          {"COMMENT", "a #b"},
                          {"CR", "a\rb\r\nc"},
                          {"DOLLAR", "$"},
                          {"EMPTY", ""},
                          {"EQUALS", "a=b=c"},
                          {"JSON", R"({"a": "b\"c", "d": ['e']})"},
                          {"LINES", "\n\na\n\n"},
                          {"PERCENT", "100%s %n"},
                          {"QUOTES", "'\"`'\""},
                          {"QUOTED", "\"quoted\""},
                          {"SPACES", "  leading and trailing \t"},
                          {"TAB", "\t"},
                          {"UNICODE", "zażółć 🚀 \xE2\x80\xA8"},
                          {"VERY_LONG", std::string(100'000, '\\')}};
  EXPECT_EQ(dotenv(format_dotenv(hostile)), hostile);
}

using EnvironmentFiles = LoadingTest;

TEST_F(EnvironmentFiles, OutputIsPrivateAndReplacesTheOldFile) {
  const std::string file = write("out.env", "old");
  ::chmod(file.c_str(), 0644);
  ASSERT_TRUE(write_environment_output(file, {{"A", "x y"}}));
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_TRUE(read(file).ends_with("\nA=\"x y\"\n")) << read(file);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1) << "no temporary file is left";
}

TEST_F(EnvironmentFiles, OutputIntoAMissingDirectoryFailsWithoutTheValue) {
  const auto written = write_environment_output(path("missing/out.env"), {{"A", "secret-value"}});
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message,
            path("missing/out.env") + ": environment_output cannot be written: No such file or directory");
}

TEST_F(EnvironmentFiles, TemplatesAreRenderedWithTheirMode) {
  write("in", "listen ${PORT:-80};\nset $host $${x};\n");
  ASSERT_TRUE(render_templates({{path("in"), path("out"), {0640}}}, {{"PORT", "8080"}}));
  EXPECT_EQ(read(path("out")), "listen 8080;\nset $host ${x};\n");
  struct stat status{};
  ASSERT_EQ(::stat(path("out").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST_F(EnvironmentFiles, TemplateErrorsHaveAPlace) {
  write("in", "ok\n  ${NEEDED:?the port}\n");
  const auto rendered = render_templates({{path("in"), path("out"), {}}}, {});
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().message, path("in") + ":2:3: the variable NEEDED is required: the port");
  EXPECT_FALSE(std::filesystem::exists(path("out")));
  EXPECT_EQ(render_templates({{path("none"), path("out"), {}}}, {}).error().message,
            path("none") + ": the template cannot be read: No such file or directory");
}

TEST_F(EnvironmentFiles, SourcesAreMergedBelowTheContainersVariables) {
  write("first.env", "A=file\nB=file\nC=file\nD=file\n");
  write("second.json", R"({"B": "json", "N": 1.10, "T": true, "EMOJI": "\ud83d\ude80", "NULL": null, "C": "json"})");
  const Loaded loaded = good(
      "environment: {D: section, E: \"${B}-${A}\"}\n"
      "environment_sources:\n"
      "  - {file: first.env}\n"
      "  - {json_file: second.json}\n"
      "  - {json_base64: \"${CONFIG:-}\"}\n"
      "  - {json_base64: \"${UNSET:-}\"}\n"
      "  - {file: absent.env, required: false}\n"
      "name: ${E}\n",
      {{"A", "container"}, {"CONFIG", "eyJDIjogImJhc2U2NCJ9"}});
  EXPECT_EQ(loaded.source_environment, (StringMap{{"A", "container"},
                                                  {"B", "json"},
                                                  {"C", "base64"},
                                                  {"D", "section"},
                                                  {"EMOJI", "🚀"},
                                                  {"N", "1.10"},
                                                  {"T", "true"}}));
  EXPECT_EQ(loaded.environment.at("E"), "json-container");
  EXPECT_EQ(loaded.configuration.name, "json-container");
  EXPECT_FALSE(loaded.environment.contains("NULL"));
}

TEST_F(EnvironmentFiles, BadSourcesAreReportedInTheirOwnFiles) {
  write("a.env", "A=1\nbroken\n");
  write("b.json", "{\n  \"A\": [1],\n  \"A\": 1\n}");
  EXPECT_EQ(bad("environment_sources: [{file: a.env}, {json_file: b.json}]\nnmae: x\n"),
            "slipway.yaml:2:1: unknown key \"nmae\" in configuration; did you mean 'name'?\n"
            "a.env:2:7: expected '=' after broken\n"
            "b.json:3:3: duplicate key 'A': it is already on line 2\n");
}

TEST(Base64, DecodesBothAlphabetsAndRefusesTheRest) {
  EXPECT_EQ(decode_base64("YWI/YWI+"), decode_base64("YWI_YWI-"));
  EXPECT_EQ(decode_base64("aGk=\n"), "hi");
  EXPECT_EQ(decode_base64("aGk"), "hi");
  for (const char* wrong : {"a", "aG=k", "aGk==", "a~~~", "===="})
    EXPECT_EQ(decode_base64(wrong), std::nullopt) << wrong;
}

TEST(Secrets, AreRecognisedByTheirNames) {
  for (const char* name :
       {"PASSWORD", "DB_PASSWORD", "db_passwd", "SECRET_KEY", "API_KEY", "KEY", "GITHUB_TOKEN", "PGPASS"})
    EXPECT_TRUE(looks_secret(name)) << name;
  for (const char* name : {"PATH", "KEYBOARD", "PWD", "OLDPWD", "MONKEY", "PASSWORD_FILE", "TOKEN_TTL", "COMPASS"})
    EXPECT_FALSE(looks_secret(name)) << name;
}

TEST(Secrets, SkipWhatWouldGarbleEveryLog) {
  SecretCollector secrets;
  for (const char* value : {"", "abc", "true", "postgres", "12345", "aaaaaaaa", "hunter22", "hunter22-longer"})
    secrets.add(value);
  EXPECT_EQ(secrets.list(), (std::vector<std::string>{"hunter22-longer", "hunter22"}));
}

TEST_F(EnvironmentFiles, SecretsAreCollectedFromEverywhere) {
  write("a.env", "APP_TOKEN=from-source\n");
  const Loaded loaded = good(
      "environment_sources: [{file: a.env}]\n"
      "environment: {SECRET_KEY: from-section}\n"
      "database: {backend: postgres, url: \"postgresql://u:p%40ss%3Aword@db/x\", postgres: {password: from-key}}\n"
      "migrations: {command: run, environment: {API_KEY: from-migration}}\n"
      "workers: {web: {command: run, environment: [\"WEB_PASSWORD=from-worker\", \"CACHE=redis://:from-url@c\"]}}\n",
      {{"PGPASSWORD", "from-container"}, {"HOME", "/root-home"}});
  EXPECT_EQ(loaded.secrets,
            (std::vector<std::string>{"from-container", "from-migration", "p%40ss%3Aword", "from-section",
                                      "from-source", "from-worker", "p@ss:word", "from-key", "from-url"}));
}

}  // namespace
}  // namespace slipway::config
