#include "host/files.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/markers.hpp"
#include "host_fixture.hpp"

namespace slipway::host {
namespace {

using testing::HasSubstr;

class Files : public HostTest {
 protected:
  std::size_t entries() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory()), {}));
  }
  static unsigned mode(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
  }
};

TEST_F(Files, ReplacesAFileWithModeAndLeavesNothingElse) {
  const std::string path = write_file("target", "old", 0644);
  ASSERT_TRUE(atomic_write(path, std::string_view("new\0text", 8), 0600));
  EXPECT_EQ(read_file(path, 100).value(), std::string("new\0text", 8));
  EXPECT_EQ(mode(path), 0600U);
  EXPECT_EQ(entries(), 1U);
  if (::geteuid() == 0) {
    ASSERT_TRUE(atomic_write(path, "x", 0640, Owner{1234, 5678}));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 1234U);
    EXPECT_EQ(status.st_gid, 5678U);
  }
}

TEST_F(Files, KeepsTheOldFileWhenItCannotWrite) {
  const std::string path = directory() + "/taken";
  ASSERT_TRUE(make_directories(path + "/inside", 0755));
  EXPECT_FALSE(atomic_write(path, "x", 0644));
  EXPECT_EQ(entries(), 1U);
  const auto missing = atomic_write(directory() + "/no/such/file", "x", 0644);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("No such file or directory"));
}

TEST_F(Files, WritesLongNamesAndThroughALink) {
  const std::string path = directory() + "/" + std::string(255, 'n');
  EXPECT_TRUE(atomic_write(path, "x", 0644));
  const std::string link = directory() + "/link";
  const std::string victim = write_file("victim", "untouched");
  ASSERT_EQ(::symlink(victim.c_str(), link.c_str()), 0);
  EXPECT_TRUE(atomic_write(link, "new", 0644));
  EXPECT_EQ(read_file(victim, 100).value(), "untouched");
}

TEST_F(Files, MakesDirectoriesOnlyWhereMissing) {
  const std::string path = directory() + "/a//b/c/";
  ::umask(077);
  EXPECT_TRUE(make_directories(path, 0750));
  ::umask(022);
  EXPECT_EQ(mode(directory() + "/a/b"), 0750U);
  EXPECT_EQ(mode(directory()), 0755U);
  EXPECT_TRUE(make_directories(path, 0700));
  EXPECT_EQ(mode(path), 0750U);
  const auto blocked = make_directories(write_file("file", "") + "/below", 0755);
  ASSERT_FALSE(blocked);
  EXPECT_THAT(blocked.error().message, HasSubstr("Not a directory"));
}

TEST_F(Files, RemovesAndReadsWithLimits) {
  const std::string path = write_file("x", "12345");
  EXPECT_FALSE(read_file(path, 4));
  EXPECT_TRUE(remove_file(path));
  EXPECT_TRUE(remove_file(path));
  EXPECT_TRUE(remove_file(directory() + "/no/such"));
  EXPECT_FALSE(remove_file(directory()));
  EXPECT_FALSE(read_file(path, 4));
  EXPECT_FALSE(read_file(directory(), 4));
}

TEST_F(Files, WritesMarkers) {
  MarkerContent content;
  content.name = "failed";
  content.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(1795250400123));
  content.boot_id = "b";
  content.config_sha256 = "c";
  content.duration = std::chrono::milliseconds(42);
  content.failure = MarkerFailure{"web \"1\"", "line\nbreak", 79};
  const std::string path = directory() + "/markers/failed";
  ASSERT_TRUE(write_marker(path, content));
  EXPECT_EQ(read_file(path, 1000).value(),
            "{\"name\":\"failed\",\"at\":\"2026-11-21T08:40:00.123Z\",\"boot_id\":\"b\",\"config_sha256\":\"c\","
            "\"unit\":\"web \\\"1\\\"\",\"reason\":\"line\\u000abreak\",\"exit_code\":79,\"duration_ms\":42}\n");
  EXPECT_EQ(make_boot_id().size(), 32U);
  EXPECT_NE(make_boot_id(), make_boot_id());
}

}  // namespace
}  // namespace slipway::host
