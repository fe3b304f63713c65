#include "supervisor/marker_files.hpp"

#include "engine/engine.hpp"
#include "host/files.hpp"
#include "host/markers.hpp"

namespace slipway::supervisor {
namespace {

constexpr engine::Marker kAll[] = {engine::Marker::kMigrateDone, engine::Marker::kReady, engine::Marker::kDatabaseReady,
                                   engine::Marker::kFailed};

std::vector<Error> remove_paths(const std::vector<std::string>& paths) {
  std::vector<Error> errors;
  for (const std::string& path : paths) {
    if (Result<void> removed = host::remove_file(path); !removed) errors.push_back(removed.error());
  }
  return errors;
}

}  // namespace

std::vector<std::string> marker_paths(const config::Markers& markers, engine::Marker marker) {
  std::vector<std::string> paths{markers.directory + "/" + engine::to_string(marker)};
  if (marker == engine::Marker::kMigrateDone && !markers.migrate_done.empty()) paths.push_back(markers.migrate_done);
  return paths;
}

std::vector<Error> remove_all_markers(const config::Markers& markers) {
  std::vector<Error> errors;
  for (const engine::Marker marker : kAll) {
    for (Error& error : remove_paths(marker_paths(markers, marker))) errors.push_back(std::move(error));
  }
  return errors;
}

void write_early_failure(const config::Markers& markers, const Error& error) {
  host::MarkerContent content;
  content.name = engine::to_string(engine::Marker::kFailed);
  content.at = std::chrono::system_clock::now();
  content.boot_id = host::make_boot_id();
  content.failure = host::MarkerFailure{"", error.message, static_cast<int>(error.code)};
  for (const std::string& path : marker_paths(markers, engine::Marker::kFailed)) {
    [[maybe_unused]] const Result<void> written = host::write_marker(path, content);
  }
}

MarkerFiles::MarkerFiles(const Setup& setup) : setup_(&setup), begin_(std::chrono::steady_clock::now()) {}

std::vector<Error> MarkerFiles::write(const engine::command::WriteMarker& command) {
  host::MarkerContent content;
  content.name = engine::to_string(command.marker);
  content.at = std::chrono::system_clock::now();
  content.boot_id = setup_->boot_id;
  content.config_sha256 = setup_->config_sha256;
  content.schema_version = schema_version_;
  content.duration = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin_);
  if (command.marker == engine::Marker::kFailed) {
    const std::string unit = command.unit ? setup_->plan.units[engine::index(*command.unit)].name : "";
    content.failure = host::MarkerFailure{unit, command.reason, command.exit_code};
  }
  std::vector<Error> errors;
  for (const std::string& path : marker_paths(setup_->configuration.markers, command.marker)) {
    if (Result<void> written = host::write_marker(path, content); !written) errors.push_back(written.error());
  }
  return errors;
}

std::vector<Error> MarkerFiles::remove(engine::Marker marker) const {
  return remove_paths(marker_paths(setup_->configuration.markers, marker));
}

}  // namespace slipway::supervisor
