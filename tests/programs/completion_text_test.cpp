#include "programs/slipway/completion_text.hpp"

#include <cstdio>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::program {
namespace {

using ::testing::HasSubstr;

std::vector<CompletionCommand> commands() {
  return {{"run", "boot: the ENTRYPOINT", {"--config"}, false}, {"stop", "it's over", {"--no-wait"}, true}};
}

TEST(Completion, KnowsEveryCommandAndOption) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string text = completion_text(shell, commands());
    EXPECT_THAT(text, HasSubstr("run")) << shell;
    EXPECT_THAT(text, HasSubstr("config")) << shell;
    EXPECT_THAT(text, HasSubstr("no-wait")) << shell;
    EXPECT_THAT(text, HasSubstr("slipway status")) << shell;
  }
}

TEST(Completion, BashCompletesWords) {
  const std::string script = completion_text("bash", commands()) +
                             "COMP_WORDS=(slipway ru); COMP_CWORD=1; _slipway; echo \"${COMPREPLY[*]}\"\n"
                             "COMP_WORDS=(slipway stop --no); COMP_CWORD=2; _slipway; echo \"${COMPREPLY[*]}\"\n";
  char path[] = "/tmp/slipway-completion-XXXXXX";
  const int file = mkstemp(path);
  ASSERT_GE(file, 0);
  FILE* out = fdopen(file, "w");
  std::fputs(script.c_str(), out);
  std::fclose(out);
  FILE* bash = popen((std::string("bash ") + path).c_str(), "r");
  char text[256] = {};
  const std::size_t size = std::fread(text, 1, sizeof text - 1, bash);
  EXPECT_EQ(pclose(bash), 0);
  std::remove(path);
  EXPECT_EQ(std::string(text, size), "run\n--no-wait\n");
}

}  // namespace
}  // namespace slipway::program
