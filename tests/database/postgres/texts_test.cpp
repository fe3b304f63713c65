// The parts without a server: failure texts, access rules, command lines, settings.

#include <gmock/gmock.h>

#include "database/postgres/access_rules.hpp"
#include "database/postgres/connect_failure.hpp"
#include "database/postgres/initdb_command.hpp"
#include "database/postgres/server_command.hpp"

namespace slipway::database::postgres {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

struct Case {
  const char* text;
  bool retryable;
  ExitCode code;
};

TEST(ConnectFailure, TellsPassingFromFinal) {
  const auto unavailable = ExitCode::kDatabaseUnavailable;
  const Case cases[] = {
      {"connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection refused\n\tIs it running?", true,
       unavailable},
      {"connection to server at \"db\" (10.0.0.1), port 5432 failed: No route to host", true, unavailable},
      {"could not translate host name \"db\" to address: Name or service not known", true, unavailable},
      {"connection to server on socket \"/run/.s.PGSQL.5432\" failed: No such file or directory", true, unavailable},
      {"connection to server at \"db\" failed: server closed the connection unexpectedly", true, unavailable},
      {"connection to server at \"db\" failed: SSL SYSCALL error: Connection reset by peer", true, unavailable},
      {"connection to server at \"db\" failed: FATAL:  57P03: the database system is starting up", true, unavailable},
      {"connection to server at \"db\" failed: FATAL:  53300: sorry, too many clients already", true, unavailable},
      {"connection to server at \"db\" failed: FATAL:  28000: pg_hba.conf rejects connection for host", true,
       unavailable},
      {"connection to server at \"db\" failed: session is read-only", true, unavailable},
      {"connection to server at \"db\" failed: FATAL:  28P01: password authentication failed", false,
       ExitCode::kPermission},
      {"connection to server at \"db\" failed: SCHWERWIEGEND:  28P01: Passwort falsch", false, ExitCode::kPermission},
      {"connection to server at \"db\" failed: FATAL:  28000: no pg_hba.conf entry for host", false,
       ExitCode::kPermission},
      {"connection to server at \"db\" failed: fe_sendauth: no password supplied", false, ExitCode::kPermission},
      {"connection to server at \"db\" failed: channel binding required, but not supported", false,
       ExitCode::kPermission},
      {"connection to server on socket \"/x\" failed: Permission denied", false, ExitCode::kPermission},
      {"connection to server at \"db\" failed: FATAL:  3D000: database \"x\" does not exist", false, unavailable},
      {"connection to server at \"db\" failed: server does not support SSL, but SSL was required", false, unavailable},
      {"connection to server at \"db\" failed: SSL error: certificate verify failed", false, unavailable},
      {"root certificate file \"/x\" does not exist", false, unavailable},
      {"invalid port number: \"99999\"", false, ExitCode::kConfiguration},
      {"connection to server at \"a\" failed: Connection refused\nconnection to server at \"b\" failed: FATAL:  28P01: "
       "no",
       false, ExitCode::kPermission},
      {"connection to server at \"a\" failed: session is read-only\nconnection to server at \"b\" failed: Connection "
       "refused",
       true, unavailable},
  };
  for (const auto& item : cases) {
    const auto failure = classify_connect_failure("db:5432/app as app", item.text);
    EXPECT_EQ(failure.retryable, item.retryable) << item.text;
    EXPECT_EQ(failure.error.code, item.code) << item.text;
    EXPECT_THAT(failure.error.message, HasSubstr("db:5432/app as app: "));
    EXPECT_THAT(failure.error.message, Not(HasSubstr("\n")));
  }
}

TEST(AccessRules, ProvisioningAdmitsOnlyPeersAndRejectsEverythingElse) {
  EXPECT_THAT(provisioning_rules(),
              AllOf(HasSubstr("local all all peer map=slipway\n"), HasSubstr("host all all all reject\n"),
                    Not(HasSubstr("trust")), Not(HasSubstr("scram"))));
}

TEST(AccessRules, UserLinesComeFirst) {
  const auto rules = final_rules({"hostssl all all 10.0.0.0/8 cert"}, "post \"gres\"");
  EXPECT_LT(rules.find("hostssl"), rules.find("scram"));
  EXPECT_THAT(rules, HasSubstr("local all \"post \"\"gres\"\"\" peer map=slipway\n"));
}

TEST(AccessRules, NamesThatWouldBreakALineAreLeftOut) {
  const auto map = ident_map({"postgres", "root"}, {"postgres", "a b", "evil\nslipway root boss", "/^.*$"});
  EXPECT_THAT(map, HasSubstr("slipway \"root\" \"a b\"\n"));
  EXPECT_THAT(map, AllOf(Not(HasSubstr("boss")), Not(HasSubstr("/^"))));
}

TEST(Settings, AreQuotedAndReservedOnesRefused) {
  EXPECT_EQ(quoted_setting("it's \\ a\nline"), "'it''s \\\\ a\\nline'");
  config::PostgresCluster cluster;
  cluster.settings = {{"work_mem", "8MB"}, {"pg_stat_statements.max", "100"}};
  const auto text = settings_text(cluster, "/it's");
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, AllOf(HasSubstr("include_if_exists '/it''s/postgresql.conf'\n"), HasSubstr("work_mem = '8MB'\n")));
  for (const auto* name :
       {"hba_file", "Port", "data_directory", "unix_socket_directories", "a b", "", "1x", "x=1\ny"}) {
    cluster.settings = {{name, "1"}};
    const auto refused = settings_text(cluster, "/data");
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ExitCode::kConfiguration);
  }
}

TEST(ServerCommand, HoldsWhatProvisioningNeedsAndNoUserSetting) {
  config::PostgresCluster cluster;
  cluster.settings = {{"primary_conninfo", "password=hidden"}};
  ResolvedDatabase database;
  database.endpoints = {{"localhost", "6543"}};
  const auto command =
      server_command("/bin/postgres", cluster, database, "/data", {"/run/p"}, {"/run/p", "/var/run, x"});
  EXPECT_THAT(command, AllOf(Contains("port=6543"), Contains("hba_file=/run/p/pg_hba.conf"),
                             Contains("unix_socket_directories=\"/run/p\",\"/var/run, x\"")));
  for (const auto& word : command) EXPECT_THAT(word, Not(HasSubstr("hidden")));
}

TEST(InitdbCommand, PutsTheUsersArgumentsLast) {
  const auto command = initdb_command("/bin/initdb", "/staging", "C.UTF-8", {"--wal-segsize=32", "--no-locale"});
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->back(), "--no-locale");
  EXPECT_THAT(*command, AllOf(Contains("--username=postgres"), Contains("--auth-host=scram-sha-256"),
                              Contains("--data-checksums")));
}

TEST(InitdbCommand, TakesOnlyALocaleThatExists) {
  EXPECT_EQ(usable_locale(nullptr, nullptr), "C.UTF-8");
  EXPECT_EQ(usable_locale("", "xx_YY.UTF-8"), "C.UTF-8");
  EXPECT_EQ(usable_locale("C.UTF-8", "xx"), "C.UTF-8");
  EXPECT_EQ(usable_locale(nullptr, "POSIX"), "C.UTF-8");
}

}  // namespace
}  // namespace slipway::database::postgres
