#include "database/resolve.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::database {
namespace {

using config::Backend;
using testing::HasSubstr;
using testing::Not;

config::Configuration with_url(const std::string& url) {
  config::Configuration configuration;
  configuration.database.url = config::Secret(url);
  return configuration;
}

ResolvedDatabase resolved(const std::string& url) {
  auto result = resolve(with_url(url));
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(ResolvedDatabase{});
}

std::string refusal(const config::Configuration& configuration) {
  auto result = resolve(configuration);
  if (result) return "not refused";
  EXPECT_EQ(result.error().code, ExitCode::kConfiguration);
  return result.error().message;
}

std::string refusal(const std::string& url) { return refusal(with_url(url)); }

TEST(Resolve, NothingConfiguredIsNoDatabase) { EXPECT_EQ(resolved("").backend, Backend::kNone); }

TEST(Resolve, TakesAnyDriverSuffix) {
  for (const char* scheme : {"postgresql+asyncpg", "postgres", "postgresql", "POSTGRESQL+psycopg2", "pgsql"}) {
    const auto database = resolved(std::string(scheme) + "://u:p@db:6000/app");
    EXPECT_EQ(database.backend, Backend::kPostgres) << scheme;
    EXPECT_EQ(database.endpoints, (std::vector<Endpoint>{{"db", "6000"}}));
    EXPECT_EQ(database.user, "u");
    EXPECT_EQ(database.password.reveal(), "p");
    EXPECT_EQ(database.name, "app");
  }
}

TEST(Resolve, DecodesEveryPart) {
  const auto database = resolved("postgresql://us%40er:p%40%3A%2F%25%23%20%22%27%C3%A9+%2B@db/na%2Fme%3F");
  EXPECT_EQ(database.user, "us@er");
  EXPECT_EQ(database.password.reveal(), "p@:/%# \"'\u00e9++");
  EXPECT_EQ(database.name, "na/me?");
}

TEST(Resolve, TheLastAtSignEndsThePassword) {
  const auto database = resolved("postgresql://u:p@ss:w@rd@db/app");
  EXPECT_EQ(database.password.reveal(), "p@ss:w@rd");
  EXPECT_EQ(database.endpoints.at(0).host, "db");
}

TEST(Resolve, MalformedUrlsAreRefusedWithoutShowingSecrets) {
  for (const char* url :
       {"postgresql://u:s3cr%et@db/app", "postgresql://u:s3cret%@db/app", "postgresql://u:s3cret%4@db/app",
        "postgresql://u:s3c%00ret@db/app", "postgresql://u:s3/cret@db/app", "postgresql://u:12/s3cret@db/app",
        "postgresql://u:s3cret@db:70000/app", "postgresql://u:s3cret@db:0/app", "postgresql://u:s3cret@[::1/app",
        "postgresql://u:s3cret@::1:5432/app", "mysql://u:s3cret@db/app", "u:s3cret@db/app",
        "postgresql://u:s3cret@db/app?sslmode=s3cret", "postgresql://u:s3cret@db/app?novalue",
        "postgresql://u:s3cret@db/app?connect_timeout=s3cret", "postgresql://u:s3cret@db,/app"}) {
    const auto text = refusal(url);
    EXPECT_THAT(text, HasSubstr("database.url: ")) << url;
    EXPECT_THAT(text, Not(HasSubstr("s3c"))) << url;
    EXPECT_THAT(text, Not(HasSubstr("cret"))) << url;
  }
}

TEST(Resolve, SeveralHostsAndAddresses) {
  EXPECT_EQ(resolved("postgresql://u@h1:5432,h2:5433,h3/app").endpoints,
            (std::vector<Endpoint>{{"h1", "5432"}, {"h2", "5433"}, {"h3", "5432"}}));
  EXPECT_EQ(resolved("postgresql://u@[::1]:6000,[fe80::1%25eth0]/app").endpoints,
            (std::vector<Endpoint>{{"::1", "6000"}, {"fe80::1%eth0", "5432"}}));
  EXPECT_EQ(resolved("postgresql:///app?host=h1:5432&host=h2:6000").endpoints,
            (std::vector<Endpoint>{{"h1", "5432"}, {"h2", "6000"}}));
  EXPECT_EQ(resolved("postgresql:///app?host=h1,h2&port=1,2").endpoints,
            (std::vector<Endpoint>{{"h1", "1"}, {"h2", "2"}}));
}

TEST(Resolve, SocketDirectories) {
  EXPECT_EQ(resolved("postgresql://u@%2Fvar%2Frun:6000/app").endpoints, (std::vector<Endpoint>{{"/var/run", "6000"}}));
  EXPECT_EQ(resolved("postgresql:///app?host=/var/run/postgresql").endpoints,
            (std::vector<Endpoint>{{"/var/run/postgresql", "5432"}}));
}

TEST(Resolve, ReadsParameters) {
  const auto database = resolved(
      "postgresql://u@db/app?sslmode=verify-full&sslrootcert=/etc/ca.pem&channel_binding=require&connect_timeout=7"
      "&target_session_attrs=read-write&application_name=a%26b");
  EXPECT_EQ(database.sslmode, "verify-full");
  EXPECT_EQ(database.sslrootcert, "/etc/ca.pem");
  EXPECT_EQ(database.channel_binding, "require");
  EXPECT_EQ(database.connect_timeout_seconds, 7);
  EXPECT_EQ(database.target_session_attrs, "read-write");
  EXPECT_EQ(database.parameters, (config::StringMap{{"application_name", "a&b"}}));
  EXPECT_EQ(resolved("postgresql+asyncpg://u@db/app?ssl=require").sslmode, "require");
}

TEST(Resolve, FindsTheSchemaInOptions) {
  EXPECT_EQ(resolved("postgresql://u@db/app?options=-c%20search_path%3Dmesh").schema, "mesh");
  EXPECT_EQ(resolved("postgresql://u@db/app?options=-csearch_path=%22Mixed-Case%22").schema, "Mixed-Case");
  EXPECT_EQ(resolved("postgresql://u@db/app?schema=a").schema, "a");
  const auto both = resolved("postgresql://u@db/app?options=-c%20statement_timeout%3D5s%20--search_path%3DMESH");
  EXPECT_EQ(both.schema, "mesh");
  EXPECT_EQ(both.parameters.at("options"), "-c statement_timeout=5s");
  EXPECT_EQ(connection_options(both), "-c statement_timeout=5s -csearch_path=\"mesh\"");
  const auto several = resolved("postgresql://u@db/app?options=-csearch_path%3Da,public");
  EXPECT_EQ(several.schema, "a");
  EXPECT_EQ(connection_options(several), "-csearch_path=a,public");
}

TEST(Resolve, WhatTheUrlDoesNotSayComesFromTheComponents) {
  auto configuration = with_url("postgresql://db");
  configuration.database.postgres.user = "me";
  configuration.database.postgres.password = config::Secret("word");
  auto result = resolve(configuration);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->user, "me");
  EXPECT_EQ(result->name, "app");
  EXPECT_EQ(result->password.reveal(), "word");
  configuration.database.url = config::Secret("postgresql://you:@db");
  EXPECT_EQ(resolve(configuration)->password.reveal(), "") << "an empty password was given, not omitted";
}

TEST(Resolve, ContradictionsNameBothSides) {
  auto configuration = with_url("postgresql+asyncpg://u:p@db/app");
  configuration.database.backend = Backend::kSqlite;
  EXPECT_EQ(refusal(configuration),
            "database.url: its scheme is postgresql+asyncpg, but database.backend is sqlite: change one of the two");
  configuration.database.backend = Backend::kPostgres;
  configuration.database.postgres.local = true;
  EXPECT_THAT(refusal(configuration), HasSubstr("names the server \"db\", but database.postgres.local"));
}

TEST(Resolve, ChecksComponents) {
  config::Configuration configuration;
  configuration.database.backend = Backend::kPostgres;
  auto& postgres = configuration.database.postgres;
  postgres.host = "h1, h2";
  postgres.port = "5432,5433";
  EXPECT_EQ(resolve(configuration)->endpoints, (std::vector<Endpoint>{{"h1", "5432"}, {"h2", "5433"}}));
  postgres.port = "1,2,3";
  EXPECT_THAT(refusal(configuration), HasSubstr("3 ports for 2 hosts"));
  postgres.port = "5432";
  postgres.host = "db:5432";
  EXPECT_THAT(refusal(configuration), HasSubstr("contains a port"));
  postgres.host = "[::1]";
  EXPECT_EQ(resolve(configuration)->endpoints, (std::vector<Endpoint>{{"::1", "5432"}}));
  for (const char* port : {"", "0", "65536", "x", "-1", "5432x", "99999999999999999999"}) {
    postgres.port = port;
    EXPECT_THAT(refusal(configuration), HasSubstr("database.postgres.port")) << port;
  }
}

TEST(Resolve, LocalServerIsReachedWhereItListens) {
  config::Configuration configuration;
  configuration.database.backend = Backend::kPostgres;
  auto& postgres = configuration.database.postgres;
  postgres.local = true;
  postgres.password = config::Secret("p");
  postgres.host = "some-old-host";
  EXPECT_EQ(resolve(configuration)->endpoints.at(0).host, "localhost");
  postgres.cluster.listen_addresses = "10.0.0.7";
  EXPECT_EQ(resolve(configuration)->endpoints.at(0).host, "10.0.0.7");
  postgres.cluster.listen_addresses = "";
  EXPECT_EQ(resolve(configuration)->endpoints.at(0).host, "/var/run/postgresql");
}

TEST(Resolve, SqlitePaths) {
  EXPECT_EQ(resolved("sqlite+aiosqlite:////app/data/argus.db").sqlite_path, "/app/data/argus.db");
  EXPECT_EQ(resolved("sqlite:///rel/a.db").sqlite_path, (std::filesystem::current_path() / "rel/a.db").string());
  EXPECT_EQ(resolved("sqlite:////data/a%20b%3F%25.db").sqlite_path, "/data/a b?%.db");
  EXPECT_EQ(resolved("sqlite:///file:/data/a%3Fb.db?uri=true").sqlite_path, "/data/a?b.db");
}

TEST(Resolve, SqliteUrlsThatNameNoFileAreRefused) {
  for (const char* url : {"sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///x?mode=memory",
                          "sqlite:///file::memory:?uri=true"}) {
    EXPECT_THAT(refusal(url), HasSubstr("in memory cannot be shared")) << url;
  }
  EXPECT_THAT(refusal("sqlite://app.db"), HasSubstr("has no host"));
  EXPECT_THAT(refusal("sqlite:////data/"), HasSubstr("is a directory"));
  config::Configuration configuration;
  configuration.database.backend = Backend::kSqlite;
  EXPECT_THAT(refusal(configuration), HasSubstr("database.sqlite.path: names no file"));
}

}  // namespace
}  // namespace slipway::database
