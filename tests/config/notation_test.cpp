#include "config/notation.hpp"

#include <gtest/gtest.h>

#include "config/sha256.hpp"
#include "config/words.hpp"

namespace slipway::config {
namespace {

using std::chrono::milliseconds;

TEST(Durations, AreReadAndWritten) {
  for (const auto& [text, count] : {std::pair{"0s", 0LL},
                                    {"250ms", 250LL},
                                    {"5s", 5000LL},
                                    {"1m30s", 90'000LL},
                                    {"1h30m", 5'400'000LL},
                                    {"2d", 172'800'000LL},
                                    {"1d1h1m1s1ms", 90'061'001LL}}) {
    EXPECT_EQ(parse_duration(text).value(), milliseconds(count)) << text;
    EXPECT_EQ(format_duration(milliseconds(count)), text);
  }
  EXPECT_EQ(parse_duration("90m").value(), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("0").value(), milliseconds(0));
  for (const char* wrong :
       {"", "s", "5", "5 s", "-1s", "+1s", "1s1m", "1s1s", "1.5s", "1S", "1sec", "1s ", "9223372036854775808ms"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  EXPECT_TRUE(parse_duration("36600d"));
  EXPECT_FALSE(parse_duration("36601d"));
}

TEST(Sizes, AreReadAndWritten) {
  for (const auto& [text, bytes] : {std::pair{"0", 0ULL},
                                    {"1B", 1ULL},
                                    {"512KiB", 512ULL << 10U},
                                    {"10MiB", 10ULL << 20U},
                                    {"1GB", 1'000'000'000ULL},
                                    {"3GiB", 3ULL << 30U},
                                    {"7TB", 7'000'000'000'000ULL}}) {
    EXPECT_EQ(parse_size(text).value().bytes, bytes) << text;
    EXPECT_EQ(format_size({bytes}), text);
  }
  EXPECT_EQ(parse_size("5kB")->bytes, 5000U);
  EXPECT_EQ(parse_size("1048576TiB")->bytes, 1ULL << 60U);
  for (const char* wrong :
       {"", "B", "5", "5 B", "-1B", "1.5MB", "1mib", "1M", "1MiBs", "1048577TiB", "99999999999999999999B"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(Signals, AreReadByNameAndNumber) {
  for (const char* text : {"TERM", "SIGTERM", "term", "SigTerm", "15"})
    EXPECT_EQ(parse_signal(text)->number, 15) << text;
  EXPECT_EQ(parse_signal("RTMIN+1")->number, 35);
  EXPECT_EQ(parse_signal("SIGRTMAX-1")->number, 63);
  for (const char* wrong : {"", "SIG", "0", "65", "-1", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMIN+", "TERM ", "NOPE"})
    EXPECT_FALSE(parse_signal(wrong)) << wrong;
  for (int number = 1; number <= 64; ++number) EXPECT_EQ(parse_signal(signal_name(number))->number, number);
  EXPECT_EQ(signal_name(9), "KILL");
  EXPECT_EQ(signal_name(99), "99");
}

TEST(Modes, AreOctal) {
  EXPECT_EQ(parse_mode("0644")->bits, 0644U);
  EXPECT_EQ(parse_mode("0o600")->bits, 0600U);
  EXPECT_EQ(format_mode({01777}), "1777");
  for (const char* wrong : {"", "64", "0648", "77777", "rw-", "-644", "0x44"}) EXPECT_FALSE(parse_mode(wrong)) << wrong;
}

TEST(CommandLines, AreSplitLikeAShellSplitsWords) {
  const auto words = [](const char* text) { return split_command_line(text).value().argv; };
  using Words = std::vector<std::string>;
  EXPECT_EQ(words("  run   fast\t now\n"), (Words{"run", "fast", "now"}));
  EXPECT_EQ(words(R"(a 'b c' "d e" f\ g)"), (Words{"a", "b c", "d e", "f g"}));
  EXPECT_EQ(words(R"(a'b'"c" '' "")"), (Words{"abc", "", ""}));
  EXPECT_EQ(words(R"('\' "\a\"\\\$")"), (Words{"\\", R"(\a"\$)"}));
  EXPECT_EQ(words("$HOME *.c | x && ~ #y"), (Words{"$HOME", "*.c", "|", "x", "&&", "~", "#y"}));
  EXPECT_EQ(words("a \\\n b"), (Words{"a", "b"}));
  EXPECT_EQ(words(""), Words{});
  for (const char* wrong : {"'a", "\"a", "a\\", "\"a\\\""}) EXPECT_FALSE(split_command_line(wrong)) << wrong;
}

TEST(CommandLines, AreJoinedSoThatTheySplitAgain) {
  const CommandLine command{{"run", "", "it's", "a b", "\"\\$`", "\n", "ünï", "--x=1"}};
  EXPECT_EQ(split_command_line(join_command_line(command)).value(), command);
  EXPECT_EQ(join_command_line({{"gunicorn", "-b", "0.0.0.0:8000", "a b"}}), "gunicorn -b 0.0.0.0:8000 'a b'");
}

TEST(Addresses, AreLiteralsOrLocalhost) {
  EXPECT_EQ(parse_tcp_address("127.0.0.1:80").value(), (TcpProbe{"127.0.0.1", 80}));
  EXPECT_EQ(parse_tcp_address("[::1]:65535").value(), (TcpProbe{"::1", 65535}));
  EXPECT_EQ(parse_tcp_address("localhost:1").value(), (TcpProbe{"localhost", 1}));
  for (const char* wrong : {"", ":", "80", "1.2.3:80", "127.0.0.1:+80", "127.0.0.1: 80", "[]:80", "example.com:80"})
    EXPECT_FALSE(parse_tcp_address(wrong)) << wrong;
}

TEST(HttpUrls, AreSplit) {
  const auto full = parse_http_url("http://[::1]:8000/a?b=c#d").value();
  EXPECT_EQ(full.endpoint, (TcpProbe{"::1", 8000}));
  EXPECT_EQ(full.target, "/a?b=c");
  EXPECT_EQ(parse_http_url("http://localhost").value().endpoint.port, 80);
  EXPECT_EQ(parse_http_url("http://localhost").value().target, "/");
  EXPECT_EQ(parse_http_url("http://localhost?x").value().target, "/?x");
  for (const char* wrong : {"", "http://", "ftp://localhost/", "http://localhost:0/", "http://localhost/a b"})
    EXPECT_FALSE(parse_http_url(wrong)) << wrong;
}

TEST(Words, NameEveryEnumerator) {
  EXPECT_STREQ(to_string(Backend::kPostgres), "postgres");
  EXPECT_STREQ(to_string(Restart::kUnlessStopped), "unless-stopped");
  EXPECT_STREQ(to_string(LogLevel::kWarning), "warning");
  EXPECT_STREQ(to_string(Condition::kCompleted), "completed");
}

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace slipway::config
