#include "logging/old_logs.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace slipway::logging {
namespace {

namespace fs = std::filesystem;

class OldLogFiles : public testing::Test {
 protected:
  OldLogFiles() {
    std::string pattern = testing::TempDir() + "slipway-old-XXXXXX";
    directory = ::mkdtemp(pattern.data());
  }
  ~OldLogFiles() override { fs::remove_all(directory); }

  void put(const std::string& name, std::size_t size) const {
    std::ofstream(directory + "/" + name) << std::string(size, 'x');
  }
  [[nodiscard]] std::string names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(directory)) found.push_back(entry.path().filename());
    std::sort(found.begin(), found.end());
    std::string text;
    for (const std::string& name : found) text += name + "\n";
    return text;
  }
  [[nodiscard]] OldLogs logs() const { return std::move(*OldLogs::open(directory + "/web.log")); }

  std::string directory;
};

constexpr const char* kFirst = "web.log.20261121-084000.001";
constexpr const char* kSecond = "web.log.20261121-084000.002";
constexpr const char* kThird = "web.log.20261122-000000.000";

TEST_F(OldLogFiles, AreKnownByTheirNames) {
  const auto at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1795250400001));
  EXPECT_EQ(rotated_name("web.log", at), kFirst);
  for (const char* name : {"web.log", "web.log.1", "web.log.20261121", "xweb.log.20261121-084000.001", "web.log.old",
                           "web.log.20261121-084000.001.bak", kThird})
    put(name, 1);
  put(std::string(kSecond) + ".gz", 1);
  put(std::string(kFirst) + ".zst", 1);
  const auto found = logs().list();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].name, std::string(kFirst) + ".zst");
  EXPECT_TRUE(found[1].compressed);
  EXPECT_EQ(found[2].name, kThird);
  EXPECT_FALSE(found[2].compressed);
}

TEST_F(OldLogFiles, AreRemovedOldestFirstByNumberAndBySize) {
  put("web.log", 10);
  put("other", 1000);
  for (const char* name : {kFirst, kSecond, kThird}) put(name, 100);
  logs().prune({2, 0, 0});
  EXPECT_EQ(names(), std::string("other\nweb.log\n") + kSecond + "\n" + kThird + "\n");
  logs().prune({0, 210, 0});
  EXPECT_EQ(names(), std::string("other\nweb.log\n") + kSecond + "\n" + kThird + "\n");
  logs().prune({0, 209, 0});
  EXPECT_EQ(names(), std::string("other\nweb.log\n") + kThird + "\n");
  logs().prune({0, 150, 100});
  EXPECT_EQ(names(), "other\nweb.log\n");
}

TEST_F(OldLogFiles, AreReplacedByWhatTheCompressorWrites) {
  put(kFirst, 100);
  const auto done = logs().compress(kFirst, ".gz", [](int in, int out) -> Result<void> {
    char text[200];
    const ssize_t size = ::read(in, text, sizeof text);
    return ::write(out, text, static_cast<std::size_t>(size / 10)) == 10 ? Result<void>()
                                                                         : failure(ExitCode::kInternal, "?");
  });
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(names(), std::string(kFirst) + ".gz\n");
  struct stat status{};
  ASSERT_EQ(::stat((directory + "/" + kFirst + ".gz").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 10);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST_F(OldLogFiles, StayWhenTheCompressorFailsAndNothingElseDoes) {
  put(kFirst, 100);
  put(std::string(kSecond) + ".gz.tmp", 5);  // of a run that was interrupted
  const auto done =
      logs().compress(kFirst, ".gz", [](int, int) -> Result<void> { return failure(ExitCode::kInternal, "no space"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "no space");
  EXPECT_EQ(logs().list().size(), 1U);
  EXPECT_EQ(names(), std::string(kFirst) + "\n");
}

}  // namespace
}  // namespace slipway::logging
