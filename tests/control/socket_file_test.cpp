#include "control/socket_file.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slipway::control {
namespace {

using ::testing::HasSubstr;

class SocketFiles : public ::testing::Test {
 protected:
  SocketFiles() {
    char pattern[] = "/tmp/slipway-socket-XXXXXX";
    directory_ = mkdtemp(pattern);
    path_ = directory_ + "/a/b/control.sock";
  }
  ~SocketFiles() override { std::filesystem::remove_all(directory_); }

  static unsigned mode_of(const std::string& path) {
    struct stat info{};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  std::string directory_;
  std::string path_;
};

TEST_F(SocketFiles, AreClosedToOthersWhateverTheUmask) {
  const mode_t before = umask(0);
  const auto file = SocketFile::create(path_, 0600, std::nullopt);
  umask(before);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(mode_of(path_), 0600U);
}

TEST_F(SocketFiles, LieInDirectoriesOthersMayEnter) {
  const mode_t before = umask(077);
  const auto file = SocketFile::create(path_, 0600, std::nullopt);
  umask(before);
  ASSERT_TRUE(file);
  EXPECT_EQ(mode_of(directory_ + "/a"), 0755U);
  EXPECT_EQ(mode_of(directory_ + "/a/b"), 0755U);
  EXPECT_EQ(mode_of(directory_), 0700U) << "a directory that was there keeps its mode";
}

TEST_F(SocketFiles, AGroupGetsItsBits) {
  const auto file = SocketFile::create(path_, 0600, getegid());
  ASSERT_TRUE(file);
  EXPECT_EQ(mode_of(path_), 0660U);
}

TEST_F(SocketFiles, AreRemovedWithTheirOwner) {
  {
    const auto file = SocketFile::create(path_, 0600, std::nullopt);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/a/b"));
}

TEST_F(SocketFiles, ThatBelongToAnotherByNowStay) {
  {
    const auto file = SocketFile::create(path_, 0600, std::nullopt);
    std::filesystem::remove(path_);
    std::ofstream(path_) << "another";
  }
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(SocketFiles, StaleOnesAreReplaced) {
  {
    auto file = SocketFile::create(path_, 0600, std::nullopt);
    ASSERT_TRUE(file);
    std::filesystem::rename(path_, path_ + ".kept");
    close(file->release());
  }
  std::filesystem::rename(path_ + ".kept", path_);
  EXPECT_TRUE(SocketFile::create(path_, 0600, std::nullopt));
}

TEST_F(SocketFiles, LiveOnesAreNot) {
  const auto first = SocketFile::create(path_, 0600, std::nullopt);
  const auto second = SocketFile::create(path_, 0600, std::nullopt);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another Slipway answers on it"));
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(SocketFiles, NothingElseIsEverReplaced) {
  std::filesystem::create_directories(directory_ + "/a/b");
  std::ofstream(path_) << "precious";
  EXPECT_THAT(SocketFile::create(path_, 0600, std::nullopt).error().message, HasSubstr("is not a socket"));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink("/etc/passwd", path_);
  EXPECT_FALSE(SocketFile::create(path_, 0600, std::nullopt));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(SocketFiles, ImpossiblePathsAreRefused) {
  EXPECT_EQ(SocketFile::create("", 0600, std::nullopt).error().code, ExitCode::kConfiguration);
  EXPECT_EQ(SocketFile::create("/" + std::string(200, 'x'), 0600, std::nullopt).error().code, ExitCode::kConfiguration);
  std::ofstream(directory_ + "/a") << "a file where a directory should be";
  EXPECT_FALSE(SocketFile::create(path_, 0600, std::nullopt));
  EXPECT_THAT(SocketFile::create("/proc/slipway/control.sock", 0600, std::nullopt).error().message,
              HasSubstr("/proc/slipway"));
}

}  // namespace
}  // namespace slipway::control
