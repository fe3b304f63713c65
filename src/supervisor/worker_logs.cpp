#include "supervisor/worker_logs.hpp"

#include <algorithm>
#include <utility>

#include "host/accounts.hpp"
#include "logging/keep_exit.hpp"

namespace slipway::supervisor {
namespace {

/// This very program, whatever it is called and wherever it is.
constexpr const char* kOwnProgram = "/proc/self/exe";

std::string counted(std::uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

logging::LogFileSettings file_settings(const engine::UnitSpec& unit) {
  logging::LogFileSettings settings;
  settings.path = unit.logging.file;
  settings.max_size = unit.logging.max_size.bytes;
  settings.max_age = unit.logging.max_age;
  const auto identity = host::resolve_identity(unit.launch.user, unit.launch.group, {});
  if (identity && (!unit.launch.user.empty() || !unit.launch.group.empty())) settings.group = identity->gid;
  return settings;
}

host::Launch keep_launch(const config::WorkerLogging& settings, bool compress) {
  host::Launch launch;
  launch.argv = {kOwnProgram, "keep-logs", settings.file};
  launch.argv.insert(launch.argv.end(), {"--max-files", std::to_string(settings.max_files)});
  launch.argv.insert(launch.argv.end(), {"--max-total", std::to_string(settings.max_total.bytes)});
  launch.argv.insert(launch.argv.end(), {"--reserved", std::to_string(settings.max_size.bytes)});
  if (compress) launch.argv.emplace_back("--compress");
  return launch;
}

}  // namespace

bool writes_through(const engine::UnitSpec& unit) {
  if (unit.forwards_signals) return true;
  const bool watched = unit.ready && !unit.ready->log_line.empty();
  return unit.logging.format == config::WorkerLogFormat::kRaw && unit.logging.file.empty() &&
         unit.logging.on_full == config::OnFull::kBlock && !watched;
}

WorkerLogs::WorkerLogs(host::ChildTable& children, logging::Capture& capture, Reporter& reporter, const Setup& setup)
    : launcher_(children), capture_(&capture), reporter_(&reporter), setup_(&setup) {
  const auto& units = setup.plan.units;
  for (std::size_t i = 0; i < units.size(); ++i) route(static_cast<engine::UnitId>(i), units[i]);
  capture.on_lost([this](logging::Source source, std::uint64_t lines, std::uint64_t bytes) {
    const std::size_t at = static_cast<std::size_t>(source) - 1;
    const std::string name = at < setup_->plan.units.size() ? setup_->plan.units[at].name : "slipway";
    warn("log.lines_dropped", name + ": " + counted(lines, "line") + " (" + counted(bytes, "byte") +
                                  ") of its output were dropped: the reader of standard output was stuck");
  });
}

void WorkerLogs::route(engine::UnitId id, const engine::UnitSpec& unit) {
  if (writes_through(unit)) return;
  const auto source = static_cast<logging::Source>(engine::index(id) + 1);
  capture_->route(source, {unit.logging.format, unit.logging.on_full, open(unit)});
}

/// Units that name the same file share it.
logging::LogFile* WorkerLogs::open(const engine::UnitSpec& unit) {
  if (unit.logging.file.empty()) return nullptr;
  for (const auto& known : files_) {
    if (known->settings.file != unit.logging.file) continue;
    known->settings = unit.logging;
    known->file->limit(unit.logging.max_size.bytes, unit.logging.max_age);
    return known->file.get();
  }
  files_.push_back(std::make_unique<File>());
  File* const made = files_.back().get();
  made->settings = unit.logging;
  const std::string path = unit.logging.file;
  logging::LogFile::Events events;
  events.rotated = [this, made] { rotated(*made); };
  events.failed = [this, path](const std::string& reason) {
    reporter_->say(logging::Level::kError, "log.file_failed",
                   path + ": " + reason +
                       ": its lines are counted and lost until that works; the recent ones are in "
                       "`slipway logs`");
  };
  events.recovered = [this, path](std::uint64_t lines, std::uint64_t bytes) {
    warn("log.file_recovered",
         path + ": written again; " + counted(lines, "line") + " (" + counted(bytes, "byte") + ") were lost");
  };
  made->file = std::make_unique<logging::LogFile>(file_settings(unit), std::move(events));
  return made->file.get();
}

void WorkerLogs::rotated(File& file) {
  if (file.settings.max_files == 0 && file.settings.max_total.bytes == 0 && !file.settings.compress) return;
  file.due = true;
  keep_next();
}

void WorkerLogs::keep_next() {
  const auto next = std::find_if(files_.begin(), files_.end(), [](const auto& file) { return file->due; });
  if (keeping_ || next == files_.end()) return;
  File* const file = next->get();
  file->due = false;
  host::Launch launch = keep_launch(file->settings, file->settings.compress && compress_);
  for (const auto& [name, value] : setup_->environment) {
    if (name == "PATH") launch.environment.push_back(name + "=" + value);
  }
  // Its complaints appear as Slipway's own.
  const logging::Capture::ChildEnds ends = capture_->open(logging::Source::kSlipway);
  launch.stdout_fd = ends.out;
  launch.stderr_fd = ends.error;
  const auto launched = launcher_.launch(launch, [this, file](const host::ChildExit& exit) {
    keeping_ = false;
    kept(*file, exit);
    keep_next();
  });
  logging::Capture::close(ends);
  keeping_ = launched.has_value();
  if (!launched) kept(*file, {});
}

void WorkerLogs::kept(const File& file, const host::ChildExit& exit) {
  const bool ended = exit.pid != 0 && exit.status.kind == host::ExitStatus::Kind::kExited;
  if (ended && exit.status.value == logging::kKeepNoCompressor) {
    compress_ = false;
    warn("log.not_compressed",
         file.settings.file + ": neither gzip nor zstd is in PATH: rotated files stay as they are");
  }
  const bool failed = !ended || exit.status.value == logging::kKeepFailed;
  if (failed && !std::exchange(said_failed_, true)) {
    warn("log.keep_failed", file.settings.file +
                                ": its rotated files could not be removed or compressed: tried again "
                                "with the next rotation");
  }
  if (!failed) said_failed_ = false;
}

void WorkerLogs::warn(const std::string& event, const std::string& message) {
  reporter_->say(logging::Level::kWarning, event, message);
}

}  // namespace slipway::supervisor
