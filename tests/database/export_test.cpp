// What is exported is read back by those who will read it: libpq itself and Python's SQLAlchemy.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <memory>

#include "database/resolve.hpp"

namespace slipway::database {
namespace {

using config::Backend;
using config::ExportForm;
using testing::HasSubstr;

const std::vector<std::string> kHostilePasswords{"plain",
                                                 "@",
                                                 ":",
                                                 "/",
                                                 "%",
                                                 "#",
                                                 " ",
                                                 "\"",
                                                 "'",
                                                 "@:/%#\"' ",
                                                 "a b",
                                                 " leading",
                                                 "trailing ",
                                                 "100%25",
                                                 "%41",
                                                 "\\",
                                                 "\\'",
                                                 "a\\",
                                                 "'; DROP--",
                                                 "$HOME",
                                                 "${X}",
                                                 "&x=y?z",
                                                 "+",
                                                 "=",
                                                 "p\u00e4ss\u4e2d\u6587\U0001F600",
                                                 "\t",
                                                 "line\nbreak",
                                                 "[::1]",
                                                 "user@host:5432",
                                                 "a,b",
                                                 ";",
                                                 "`id`",
                                                 "!<>|*~^{}()",
                                                 "password='x'",
                                                 "\x7f\x01"};

ResolvedDatabase postgres(const std::string& password) {
  ResolvedDatabase database;
  database.backend = Backend::kPostgres;
  database.endpoints = {{"db", "5433"}};
  database.name = "na/me ?";
  database.user = "us@er'\\";
  database.password = config::Secret(password);
  database.sslmode = "prefer";
  database.channel_binding = "prefer";
  database.target_session_attrs = "any";
  return database;
}

/// What libpq understands, or its complaint.
std::map<std::string, std::string> parsed_by_libpq(const std::string& text) {
  char* complaint = nullptr;
  PQconninfoOption* options = PQconninfoParse(text.c_str(), &complaint);
  EXPECT_NE(options, nullptr) << (complaint != nullptr ? complaint : "");
  PQfreemem(complaint);
  std::map<std::string, std::string> result;
  for (auto* option = options; option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr) result[option->keyword] = option->val;
  }
  PQconninfoFree(options);
  return result;
}

std::string exported(ExportForm form, const ResolvedDatabase& database, const std::string& driver = "") {
  config::Export wanted;
  wanted.form = form;
  wanted.driver.postgres = driver;
  wanted.driver.sqlite = driver;
  return exported_value(wanted, database);
}

TEST(Export, LibpqReadsTheUrlBack) {
  for (const auto& password : kHostilePasswords) {
    auto parsed = parsed_by_libpq(exported(ExportForm::kUrl, postgres(password)));
    EXPECT_EQ(parsed["password"], password);
    EXPECT_EQ(parsed["user"], "us@er'\\");
    EXPECT_EQ(parsed["dbname"], "na/me ?");
    EXPECT_EQ(parsed["host"], "db");
    EXPECT_EQ(parsed["port"], "5433");
  }
}

TEST(Export, LibpqReadsTheDsnBack) {
  for (const auto& password : kHostilePasswords) {
    auto database = postgres(password);
    database.schema = "mixed \"Case\"-\\x";
    auto parsed = parsed_by_libpq(exported(ExportForm::kDsn, database));
    EXPECT_EQ(parsed["password"], password);
    EXPECT_EQ(parsed["user"], "us@er'\\");
    EXPECT_EQ(parsed["dbname"], "na/me ?");
    EXPECT_EQ(parsed["options"], "-csearch_path=\"mixed\\ \"\"Case\"\"-\\\\x\"");
  }
}

TEST(Export, OwnParserReadsEveryUrlBack) {
  for (const auto& password : kHostilePasswords) {
    auto database = postgres(password);
    database.schema = "Mixed \"-x";
    database.endpoints = {{"h1", "1"}, {"::1", "2"}};
    config::Configuration configuration;
    configuration.database.url = config::Secret(exported(ExportForm::kUrl, database, "psycopg2"));
    auto again = resolve(configuration);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(again->password, database.password);
    EXPECT_EQ(again->schema, database.schema);
    EXPECT_EQ(again->endpoints, database.endpoints);
    EXPECT_EQ(again->name, database.name);
  }
}

/// Runs Python with `script` and the variable VALUE; its output.
std::string python(const std::string& script, const std::string& value) {
  ::setenv("VALUE", value.c_str(), 1);
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("/usr/bin/python3 -c '" + script + "'").c_str(), "re"),
                                                   ::pclose);
  ::unsetenv("VALUE");
  std::string output;
  std::array<char, 4096> buffer{};
  while (pipe != nullptr) {
    const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
    if (got == 0) break;
    output.append(buffer.data(), got);
  }
  return output;
}

TEST(Export, SqlalchemyReadsTheUrlBack) {
  // All URLs in one run: a Python start costs half a second.
  std::string urls;
  std::string expected;
  for (const auto& password : kHostilePasswords) {
    urls += exported(ExportForm::kUrl, postgres(password), "asyncpg") + "\n";
    expected += "postgresql+asyncpg|us@er'\\|" + password + "|db|5433|";
  }
  const auto output = python(
      "import os,sys\n"
      "from sqlalchemy.engine import make_url\n"
      "for line in os.environ[\"VALUE\"].splitlines():\n"
      "  u = make_url(line)\n"
      "  sys.stdout.buffer.write(\"|\".join([u.drivername,u.username,u.password,u.host,str(u.port),\"\"]).encode())\n",
      urls);
  EXPECT_EQ(output, expected);
}

TEST(Export, SqlalchemyOpensSqlitePathsWithSpecialCharacters) {
  for (const char* path :
       {"/data/a b.db", "/data/100%.db", "/data/a#b.db", "/data/q?mode=ro.db", "/data/\u00e9'\".db"}) {
    ResolvedDatabase database;
    database.backend = Backend::kSqlite;
    database.sqlite_path = path;
    const auto output = python(
        "import os,sys,urllib.parse\n"
        "from sqlalchemy.engine import make_url\n"
        "from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite as D\n"
        "a,k = D().create_connect_args(make_url(os.environ[\"VALUE\"]))\n"
        "p = a[0]\n"
        "p = urllib.parse.unquote(p[5:].split(\"?\")[0]) if k.get(\"uri\") else p\n"
        "sys.stdout.buffer.write(p.encode())\n",
        exported(ExportForm::kUrl, database));
    EXPECT_EQ(output, path);
  }
}

TEST(Export, ParametersFollowTheDriver) {
  auto database = postgres("p");
  database.sslmode = "require";
  database.channel_binding = "require";
  database.schema = "mixed-Case";
  EXPECT_EQ(exported(ExportForm::kUrl, database, "psycopg2"),
            "postgresql+psycopg2://us%40er%27%5C:p@db:5433/na%2Fme%20%3F?sslmode=require&channel_binding=require"
            "&options=-csearch_path%3D%22mixed-Case%22");
  EXPECT_EQ(exported(ExportForm::kUrl, database, "asyncpg"),
            "postgresql+asyncpg://us%40er%27%5C:p@db:5433/na%2Fme%20%3F?ssl=require");
  EXPECT_EQ(exported(ExportForm::kUrl, database, "pg8000"),
            "postgresql+pg8000://us%40er%27%5C:p@db:5433/na%2Fme%20%3F");
}

TEST(Export, HostsThatNeedTheQuery) {
  auto database = postgres("p");
  database.endpoints = {{"h1", "5432"}, {"h2", "5433"}};
  auto parsed = parsed_by_libpq(exported(ExportForm::kUrl, database));
  EXPECT_EQ(parsed["host"], "h1,h2");
  EXPECT_EQ(parsed["port"], "5432,5433");
  database.endpoints = {{"/var/run/postgresql", "5432"}};
  EXPECT_EQ(parsed_by_libpq(exported(ExportForm::kUrl, database))["host"], "/var/run/postgresql");
  database.endpoints = {{"::1", "5432"}};
  EXPECT_EQ(parsed_by_libpq(exported(ExportForm::kUrl, database))["host"], "::1");
}

TEST(Export, Jdbc) {
  auto database = postgres("p&=+");
  database.schema = "S";
  database.target_session_attrs = "read-write";
  EXPECT_EQ(exported(ExportForm::kJdbc, database),
            "jdbc:postgresql://db:5433/na%2Fme%20%3F?user=us%40er%27%5C&password=p%26%3D%2B&sslmode=prefer"
            "&targetServerType=primary&currentSchema=%22S%22");
}

TEST(Export, SqliteForms) {
  ResolvedDatabase database;
  database.backend = Backend::kSqlite;
  database.sqlite_path = "/app/data/app.db";
  EXPECT_EQ(exported(ExportForm::kUrl, database, "aiosqlite"), "sqlite+aiosqlite:////app/data/app.db");
  EXPECT_EQ(exported(ExportForm::kPath, database), "/app/data/app.db");
  EXPECT_EQ(exported(ExportForm::kName, database), "/app/data/app.db");
  EXPECT_EQ(exported(ExportForm::kBackend, database), "sqlite");
  EXPECT_EQ(exported(ExportForm::kPassword, database), "");
  EXPECT_TRUE(exported_environment({}, database).empty());
}

TEST(Export, EnvironmentForLibpq) {
  auto database = postgres("p");
  database.schema = "s";
  config::Database configured;
  configured.exports["DB_HOST"].form = ExportForm::kHost;
  const config::StringMap expected{
      {"DB_HOST", "db"},         {"PGHOST", "db"},           {"PGPORT", "5433"},
      {"PGDATABASE", "na/me ?"}, {"PGUSER", "us@er'\\"},     {"PGPASSWORD", "p"},
      {"PGSSLMODE", "prefer"},   {"PGCONNECT_TIMEOUT", "5"}, {"PGOPTIONS", "-csearch_path=\"s\""}};
  EXPECT_EQ(exported_environment(configured, database), expected);
}

TEST(Export, SecretTextsCoverEverySpelling) {
  const auto database = postgres("p@'x");
  const auto texts = secret_texts(database);
  EXPECT_THAT(texts, testing::UnorderedElementsAre("p@'x", "p%40%27x", "p@\\'x"));
  EXPECT_TRUE(secret_texts(postgres("")).empty());
}

}  // namespace
}  // namespace slipway::database
