// The command lines and variables of tini and dumb-init.

#include <csignal>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "programs/personalities/dumb_init_options.hpp"
#include "programs/personalities/tini_options.hpp"

namespace slipway::program {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// An argv that may be permuted.
class Words {
 public:
  Words(std::initializer_list<const char*> words) : texts_(words.begin(), words.end()) {
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  int count() { return static_cast<int>(texts_.size()); }
  char** argv() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

auto tini(Words words, const config::StringMap& environment = {}) {
  return parse_tini(words.count(), words.argv(), environment);
}
auto dumb_init(Words words, const config::StringMap& environment = {}) {
  return parse_dumb_init(words.count(), words.argv(), environment);
}

TEST(TiniOptions, AreReadUpToTheDashes) {
  const auto options = tini({"tini", "-gvv", "-sw", "-e", "3", "-e143", "-p", "SIGTERM", "--", "run", "-g", "--"});
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->command, ElementsAre("run", "-g", "--"));
  EXPECT_TRUE(options->kill_process_group && options->subreaper && options->warn_on_reap);
  EXPECT_EQ(options->verbosity, 3);
  EXPECT_EQ(options->parent_death_signal, SIGTERM);
  EXPECT_EQ(options->to_zero.count(), 2U);
  EXPECT_TRUE(options->to_zero.test(3) && options->to_zero.test(143));
}

TEST(TiniOptions, AreOffByDefault) {
  const auto options = tini({"tini", "run"});
  ASSERT_TRUE(options.has_value());
  EXPECT_FALSE(options->kill_process_group || options->subreaper || options->warn_on_reap);
  EXPECT_EQ(options->verbosity, 1);
  EXPECT_EQ(options->parent_death_signal, 0);
  EXPECT_TRUE(options->to_zero.none());
}

TEST(TiniOptions, ComeFromVariablesWhateverTheirValueAndVerbosityAsANumber) {
  const auto options =
      tini({"tini", "-v", "run"}, {{"TINI_SUBREAPER", ""}, {"TINI_KILL_PROCESS_GROUP", "0"}, {"TINI_VERBOSITY", "0"}});
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(options->kill_process_group && options->subreaper);
  EXPECT_EQ(options->verbosity, 0);
}

TEST(TiniOptions, AreRefusedWithTheReason) {
  EXPECT_THAT(tini({"tini", "-e", "256", "run"}).error().text, HasSubstr("-e: 256 is not valid"));
  EXPECT_THAT(tini({"tini", "-e", "-1", "run"}).error().text, HasSubstr("-e: -1 is not valid"));
  EXPECT_THAT(tini({"tini", "-p", "SIGFOO", "run"}).error().text, HasSubstr("-p: SIGFOO is not valid"));
  EXPECT_EQ(tini({"tini", "-s"}).error().code, 1);
  EXPECT_EQ(tini({"tini"}).error().code, 1);
  EXPECT_EQ(tini({"tini", "-h"}).error().code, 0);
  EXPECT_EQ(tini({"tini", "--version"}).error().code, 0);
}

TEST(DumbInitOptions, EndAtTheCommand) {
  const auto options = dumb_init({"dumb-init", "-cv", "-r", "15:3", "--rewrite=1:0", "run", "-c", "--"});
  ASSERT_TRUE(options.has_value());
  EXPECT_THAT(options->command, ElementsAre("run", "-c", "--"));
  EXPECT_TRUE(options->debug);
  EXPECT_FALSE(options->own_session);
  EXPECT_EQ(options->rewrites[15], 3);
  EXPECT_EQ(options->rewrites[1], 0);
  EXPECT_EQ(options->rewrites[2], 2);
  EXPECT_EQ(options->rewrites[SIGTSTP], SIGTSTP);
}

TEST(DumbInitOptions, StopASessionThatTheTerminalCannotStopUnlessRewritten) {
  const auto options = dumb_init({"dumb-init", "-r", "20:15", "run"});
  ASSERT_TRUE(options.has_value());
  EXPECT_TRUE(options->own_session);
  EXPECT_EQ(options->rewrites[SIGTSTP], SIGTERM);
  EXPECT_EQ(options->rewrites[SIGTTIN], SIGSTOP);
  EXPECT_EQ(options->rewrites[SIGTTOU], SIGSTOP);
}

TEST(DumbInitOptions, ComeFromVariablesOfExactlyOneValue) {
  const auto given = dumb_init({"dumb-init", "run"}, {{"DUMB_INIT_DEBUG", "1"}, {"DUMB_INIT_SETSID", "0"}});
  EXPECT_TRUE(given->debug);
  EXPECT_FALSE(given->own_session);
  const auto other = dumb_init({"dumb-init", "run"}, {{"DUMB_INIT_DEBUG", "yes"}, {"DUMB_INIT_SETSID", "no"}});
  EXPECT_FALSE(other->debug);
  EXPECT_TRUE(other->own_session);
}

TEST(DumbInitOptions, AreRefusedWithTheReason) {
  for (const char* wrong : {"15", "15:", ":3", "0:3", "32:3", "15:32", "15:-1", "a:b", "15:3:1"}) {
    const auto options = dumb_init({"dumb-init", "-r", wrong, "run"});
    ASSERT_FALSE(options.has_value()) << wrong;
    EXPECT_THAT(options.error().text, HasSubstr(std::string("-r: ") + wrong + " is not valid"));
  }
  EXPECT_EQ(dumb_init({"dumb-init"}).error().code, 1);
  EXPECT_EQ(dumb_init({"dumb-init", "--help"}).error().code, 0);
  EXPECT_EQ(dumb_init({"dumb-init", "-V"}).error().code, 0);
}

}  // namespace
}  // namespace slipway::program
