#include "database/password.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "database/resolve.hpp"

namespace slipway::database {
namespace {

using testing::HasSubstr;

class PasswordFile : public testing::Test {
 protected:
  PasswordFile() {
    std::string pattern = testing::TempDir() + "slipway-password-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~PasswordFile() override { std::filesystem::remove_all(directory_); }
  std::string write(const std::string& text) {
    const std::string path = directory_ + "/password";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::string directory_;
};

TEST_F(PasswordFile, OneTrailingNewlineIsStripped) {
  EXPECT_EQ(read_password_file(write("word\n"), "k")->reveal(), "word");
  EXPECT_EQ(read_password_file(write("word\r\n"), "k")->reveal(), "word");
  EXPECT_EQ(read_password_file(write("word\n\n"), "k")->reveal(), "word\n");
  EXPECT_EQ(read_password_file(write(" word "), "k")->reveal(), " word ");
}

TEST_F(PasswordFile, UnusableFilesAreNamed) {
  EXPECT_THAT(read_password_file(directory_ + "/none", "k").error().message, HasSubstr("k: " + directory_ + "/none"));
  EXPECT_THAT(read_password_file(write("\n"), "k").error().message, HasSubstr("is empty"));
  EXPECT_FALSE(read_password_file(directory_, "k"));
  EXPECT_FALSE(read_password_file(write(std::string("a\0b", 3)), "k"));
  EXPECT_FALSE(read_password_file("/dev/zero", "k"));
}

TEST_F(PasswordFile, GeneratedOnceAndPrivate) {
  const auto first = generated_password(directory_ + "/state/deep");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->reveal().size(), 43U);
  EXPECT_EQ(generated_password(directory_ + "/state/deep")->reveal(), first->reveal());
  struct stat status{};
  ASSERT_EQ(::stat((directory_ + "/state/deep/postgres.password").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(PasswordFile, AWidenedOneIsTightenedAgain) {
  const auto first = generated_password(directory_);
  ASSERT_TRUE(first);
  const auto path = directory_ + "/postgres.password";
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  EXPECT_EQ(generated_password(directory_)->reveal(), first->reveal());
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(PasswordFile, InspectingGeneratesNothing) {
  config::Configuration configuration;
  configuration.state_dir = directory_ + "/state";
  configuration.database.backend = config::Backend::kPostgres;
  configuration.database.postgres.local = true;
  EXPECT_TRUE(resolve(configuration, ResolveMode::kInspect)->password.empty());
  EXPECT_FALSE(std::filesystem::exists(configuration.state_dir));
  EXPECT_FALSE(resolve(configuration)->password.empty());
}

TEST_F(PasswordFile, RacingProcessesAgree) {
  constexpr int kProcesses = 16;
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  for (int i = 0; i < kProcesses; ++i) {
    if (::fork() == 0) {
      const auto password = generated_password(directory_ + "/state");
      const std::string line = (password ? password->reveal() : "failed") + "\n";
      ::_exit(::write(pipe_ends[1], line.data(), line.size()) > 0 ? 0 : 1);
    }
  }
  ::close(pipe_ends[1]);
  for (int i = 0; i < kProcesses; ++i) ::wait(nullptr);
  std::string all(kProcesses * 64, '\0');
  const auto got = ::read(pipe_ends[0], all.data(), all.size());
  ::close(pipe_ends[0]);
  ASSERT_EQ(got, kProcesses * 44);
  for (int i = 1; i < kProcesses; ++i) EXPECT_EQ(all.substr(0, 44), all.substr(static_cast<std::size_t>(i) * 44, 44));
  const auto files = std::distance(std::filesystem::directory_iterator(directory_ + "/state"), {});
  EXPECT_EQ(files, 1) << "temporary files are left";
}

TEST_F(PasswordFile, StateDirectoryThatCannotBeWrittenIsNamed) {
  std::ofstream(directory_ + "/file") << "x";
  const auto result = generated_password(directory_ + "/file/state");
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr(directory_ + "/file/state"));
}

}  // namespace
}  // namespace slipway::database
