#include "database/postgres/binaries.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <unistd.h>
#include <vector>

#include "database/postgres/child.hpp"

namespace slipway::database::postgres {
namespace {

namespace fs = std::filesystem;
constexpr auto kInstalled = "/usr/lib/postgresql";

int number(const std::string& text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? value : 0;
}

bool has(const std::string& directory, const std::string& program) {
  return access((directory + "/" + program).c_str(), X_OK) == 0;
}

/// Newest first.
std::vector<Binaries> installed(const std::string& program) {
  std::vector<Binaries> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(kInstalled, error)) {
    const Binaries binaries{entry.path().string() + "/bin", number(entry.path().filename().string())};
    if (binaries.major > 0 && has(binaries.directory, program)) found.push_back(binaries);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.major > b.major; });
  return found;
}

/// "postgres (PostgreSQL) 15.4 (Debian 15.4-1)" says 15.
Result<Binaries> ask_version(const std::string& directory, const std::string& program) {
  ChildRequest request;
  request.argv = {directory + "/" + program, "--version"};
  auto outcome = run_child(request);
  if (!outcome) return tl::unexpected(outcome.error());
  std::istringstream words(outcome->last_line());
  for (std::string word; words >> word;) {
    if (const int major = number(word.substr(0, word.find_first_not_of("0123456789"))); major > 0) {
      return Binaries{directory, major};
    }
  }
  return failure(ExitCode::kConfiguration, request.argv.front() + ": does not tell its version: \"" +
                                               outcome->last_line() + "\": correct database.postgres.cluster.bin_dir");
}

Result<Binaries> missing(const std::string& program, const std::string& where) {
  return failure(ExitCode::kConfiguration, "database.postgres.cluster.bin_dir: there is no " + program + " " + where +
                                               ": install PostgreSQL (Debian: postgresql), or correct bin_dir");
}

}  // namespace

Result<Binaries> find_binaries(const std::string& bin_dir, const std::string& program, int wanted_major) {
  if (bin_dir.find('/') != std::string::npos) {
    return has(bin_dir, program) ? ask_version(bin_dir, program) : missing(program, "in " + bin_dir);
  }
  const auto candidates = installed(program);
  const bool automatic = bin_dir == "auto" || bin_dir.empty();
  const int version = automatic ? wanted_major : number(bin_dir);
  for (const auto& candidate : candidates) {
    if (version != 0 && candidate.major == version) return candidate;
  }
  if (!automatic) return missing(program, "of version " + bin_dir + " under " + kInstalled);
  if (!candidates.empty()) return candidates.front();
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (directory.starts_with("/") && has(directory, program)) return ask_version(directory, program);
  }
  return missing(program, std::string("under ") + kInstalled + " or in PATH");
}

}  // namespace slipway::database::postgres
