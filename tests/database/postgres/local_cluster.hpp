#pragma once
// A cluster of its own for a test: a directory that is removed, a port from the kernel, and servers that are stopped by
// pid and reaped, whatever happens.

#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "config/configuration.hpp"
#include "database/postgres/connection.hpp"
#include "database/resolve.hpp"

namespace slipway::database::postgres::testing {

/// /dev/shm where there is one: a test's fsync should not wait for the machine's disk.
[[nodiscard]] std::string fast_storage();

/// A directory that others may enter, removed at the end.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& parent = fast_storage());
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

[[nodiscard]] std::string free_port();
void write_text(const std::string& path, const std::string& text, mode_t mode = 0644);
[[nodiscard]] std::string read_text(const std::string& path);
/// Names, types, modes, owners, sizes and contents below `path` as one text.
[[nodiscard]] std::string fingerprint(const std::string& path);

/// Runs `work` in a forked child and returns its exit code, 128+n for a signal, after at most a minute.
int in_child(const std::function<int()>& work);
/// Forks without waiting. The child dies with this process.
pid_t start_child(const std::function<int()>& work);
/// Waits for the pid and returns as in_child().
int wait_child(pid_t pid);
/// Polls `condition` until it holds; false after `seconds`.
bool eventually(const std::function<bool()>& condition, int seconds = 30);

class LocalCluster {
 public:
  explicit LocalCluster(const std::string& parent = fast_storage());
  ~LocalCluster();
  LocalCluster(const LocalCluster&) = delete;
  LocalCluster& operator=(const LocalCluster&) = delete;

  config::Configuration configuration;
  ResolvedDatabase database;
  std::vector<std::string> log;  ///< what was reported
  [[nodiscard]] Report report();
  [[nodiscard]] std::string root() const { return directory_.path(); }
  [[nodiscard]] const std::string& data_dir() const { return configuration.database.postgres.cluster.data_dir; }
  [[nodiscard]] std::string socket_directory() const { return root() + "/run/postgres"; }
  [[nodiscard]] bool said(const std::string& part) const;

  [[nodiscard]] Result<void> initialise();
  /// Forks and becomes the server there.
  void start();
  /// Fast shutdown, as PID 1 does it; the server's exit code.
  int stop();
  /// As a power cut does it.
  void kill();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Result<void> prepare();
  /// initialise, start, prepare: one boot.
  [[nodiscard]] Result<void> boot();
  [[nodiscard]] tl::expected<Connection, ConnectFailure> connect();

 private:
  TemporaryDirectory directory_;
  pid_t pid_ = -1;
};

}  // namespace slipway::database::postgres::testing
