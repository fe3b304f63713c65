#include "logging/log_file.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slipway::logging {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class LogFiles : public testing::Test {
 protected:
  LogFiles() {
    std::string pattern = testing::TempDir() + "slipway-log-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    settings.path = directory + "/web.log";
  }
  ~LogFiles() override { fs::remove_all(directory); }

  void make() {
    file = std::make_unique<LogFile>(
        settings,
        LogFile::Events{[this] { ++rotations; }, [this](const std::string& reason) { failures.push_back(reason); },
                        [this](std::uint64_t lines, std::uint64_t bytes) { lost.emplace_back(lines, bytes); }});
  }
  /// As the router does: one batch of one line.
  void put(std::string line) {
    file->begin(now);
    if (file->due(0, line.size())) file->rotate();
    const iovec piece{line.data(), line.size()};
    file->write(&piece, 1);
  }
  static std::string text_of(const fs::path& path) {
    std::ifstream stream(path);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  /// Rotated files, oldest first.
  [[nodiscard]] std::vector<std::string> rotated() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
      if (entry.path().filename() != "web.log") names.push_back(entry.path().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string directory;
  LogFileSettings settings;
  LogFile::Time now{seconds(1795250400)};
  std::unique_ptr<LogFile> file;
  int rotations = 0;
  std::vector<std::string> failures;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> lost;
};

TEST_F(LogFiles, AppearWithTheFirstLineReadableByTheirGroupAlone) {
  const mode_t before = ::umask(0);
  make();
  EXPECT_FALSE(fs::exists(settings.path));
  put("one\n");
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(settings.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_EQ(text_of(settings.path), "one\n");
}

TEST_F(LogFiles, AreAppendedToAndGetTheirDirectories) {
  settings.path = directory + "/a/b/web.log";
  make();
  put("one\n");
  make();
  put("two\n");
  EXPECT_EQ(text_of(settings.path), "one\ntwo\n");
}

TEST_F(LogFiles, EndALineThatAnEarlierRunLeftOpen) {
  std::ofstream(settings.path) << "torn";
  make();
  put("whole\n");
  EXPECT_EQ(text_of(settings.path), "torn\nwhole\n");
}

TEST_F(LogFiles, NeverGrowBeyondTheirSize) {
  settings.max_size = 10;
  make();
  for (int i = 0; i < 7; ++i) put("123" + std::to_string(i) + "\n");
  EXPECT_EQ(rotations, 3);
  ASSERT_EQ(rotated().size(), 3U);
  EXPECT_EQ(text_of(rotated()[0]), "1230\n1231\n");
  EXPECT_EQ(text_of(rotated()[2]), "1234\n1235\n");
  EXPECT_EQ(text_of(settings.path), "1236\n");
  EXPECT_THAT(rotated()[0], HasSubstr("/web.log.20261121-084000.000"));
  EXPECT_THAT(rotated()[2], HasSubstr("/web.log.20261121-084000.002"));
}

TEST_F(LogFiles, AreRotatedWithTheFirstLineAfterTheirAge) {
  settings.max_age = seconds(60);
  make();
  put("old\n");
  now += seconds(59);
  put("old too\n");
  now += seconds(1);
  put("new\n");
  ASSERT_EQ(rotated().size(), 1U);
  EXPECT_EQ(text_of(rotated()[0]), "old\nold too\n");
  EXPECT_EQ(text_of(settings.path), "new\n");
}

TEST_F(LogFiles, AreOpenedAgainWhenSomebodyElseRotatesThem) {
  make();
  put("one\n");
  fs::rename(settings.path, settings.path + ".1");
  std::ofstream(settings.path) << "";
  now += seconds(1);
  put("two\n");
  EXPECT_EQ(text_of(settings.path), "two\n");
  fs::remove(settings.path);
  now += seconds(1);
  put("three\n");
  EXPECT_EQ(text_of(settings.path), "three\n");
  fs::remove_all(directory);
  now += seconds(1);
  put("four\n");
  EXPECT_EQ(text_of(settings.path), "four\n");
}

TEST_F(LogFiles, KeepTheirPlaceWhenSomebodyElseEmptiesThem) {
  settings.max_size = 10;
  make();
  put("12345678\n");
  fs::resize_file(settings.path, 0);
  now += seconds(1);
  put("abc\n");
  EXPECT_EQ(rotations, 0);
  EXPECT_EQ(text_of(settings.path), "abc\n");
}

TEST_F(LogFiles, TrustNothingInADirectoryOfOthers) {
  const std::string target = directory + "/target";
  std::ofstream(target) << "precious";
  fs::create_symlink(target, settings.path);
  make();
  put("one\n");
  fs::remove(settings.path);
  fs::create_hard_link(target, settings.path);
  make();
  put("two\n");
  fs::remove(settings.path);
  ASSERT_EQ(::mkfifo(settings.path.c_str(), 0600), 0);
  make();
  put("three\n");
  EXPECT_EQ(text_of(target), "precious");
  ASSERT_EQ(failures.size(), 3U);
  EXPECT_THAT(failures[0], HasSubstr("symbolic link"));
  EXPECT_THAT(failures[1], HasSubstr("hard links"));
  EXPECT_THAT(failures[2], HasSubstr("not a regular file"));
}

TEST_F(LogFiles, CountWhatAFullDiskTakesSayItOnceAndRecover) {
  make();
  put("before\n");
  struct rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit full{9, unlimited.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &full);
  put("lost 1\n");
  put("lost 2\n");
  put("lost 3\n");
  EXPECT_EQ(failures.size(), 1U);
  EXPECT_TRUE(lost.empty());
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  put("after\n");
  put("and on\n");
  EXPECT_EQ(text_of(settings.path), "before\nlo\nafter\nand on\n");
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].first, 3U);
  EXPECT_EQ(lost[0].second, 5U + 7 + 7);
  EXPECT_EQ(failures.size(), 1U);
}

TEST_F(LogFiles, GoOnInTheOldFileWhenTheyCannotBeRenamed) {
  // Root may rename everything.
  const uid_t before = ::geteuid();
  if (before == 0) {
    ASSERT_EQ(::chown(directory.c_str(), 65534, 65534), 0);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  settings.max_size = 10;
  make();
  put("12345678\n");
  fs::permissions(directory, fs::perms::owner_read | fs::perms::owner_exec);
  put("abcdefgh\n");
  put("ijklmnop\n");
  fs::permissions(directory, fs::perms::owner_all);
  ASSERT_EQ(::seteuid(before), 0);
  EXPECT_EQ(failures.size(), 1U);
  EXPECT_EQ(text_of(settings.path), "12345678\nabcdefgh\nijklmnop\n");
}

}  // namespace
}  // namespace slipway::logging
