#pragma once
// Where the workers' lines go: opens the log files of the plan, routes each unit's output, says what was lost, and lets
// a process of its own (`slipway keep-logs`) remove and compress rotated files, one at a time. One thread.

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "host/child_table.hpp"
#include "host/launcher.hpp"
#include "logging/capture.hpp"
#include "logging/log_file.hpp"
#include "supervisor/reporter.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class WorkerLogs {
 public:
  /// All references must outlive this, and this outlives the capture's last use.
  WorkerLogs(host::ChildTable& children, logging::Capture& capture, Reporter& reporter, const Setup& setup);

  /// Where the unit's lines go from its next start on; for one whose specification is new. The constructor has done it
  /// for the plan's units.
  void route(engine::UnitId id, const engine::UnitSpec& unit);

 private:
  struct File {
    config::WorkerLogging settings;
    std::unique_ptr<logging::LogFile> file;
    bool due = false;  ///< it was rotated since its last keeping began
  };

  logging::LogFile* open(const engine::UnitSpec& unit);
  void rotated(File& file);
  void keep_next();
  void kept(const File& file, const host::ChildExit& exit);
  void warn(const std::string& event, const std::string& message);

  host::Launcher launcher_;
  logging::Capture* capture_;
  Reporter* reporter_;
  const Setup* setup_;
  std::vector<std::unique_ptr<File>> files_;
  bool keeping_ = false;
  bool compress_ = true;      ///< until it turns out that the image has no compressor
  bool said_failed_ = false;  ///< until keeping works again
};

/// The unit writes to the container's own descriptors and nothing of it is read: `raw`, without a file, and nothing
/// else that needs its lines.
[[nodiscard]] bool writes_through(const engine::UnitSpec& unit);

}  // namespace slipway::supervisor
