#include "config/loading/checks.hpp"
#include "config/loading/scalars.hpp"
#include "config/notation.hpp"

namespace slipway::config {
namespace {

/// Two workers may share a file, and then it is rotated in one way.
bool same_rotation(const WorkerLogging& a, const WorkerLogging& b) {
  return a.max_size == b.max_size && a.max_age == b.max_age && a.max_files == b.max_files &&
         a.max_total == b.max_total && a.compress == b.compress;
}

void check_file(const std::string& path, const WorkerLogging& logging, const Places& places, Problems& problems) {
  for (const std::string key : {"max_size", "max_age", "max_files", "max_total", "compress"}) {
    if (logging.file.empty() && places.keys.contains(path + "." + key))
      problems.add(places.key(path + "." + key), key + ": there is no file to rotate: set file");
  }
  if (!logging.file.empty() && logging.file.ends_with('/'))
    problems.add(places.value(path + ".file"), "file: " + shown({logging.file}) + " is a directory: name a file in it");
  if (logging.max_total.bytes != 0 && logging.max_total.bytes < logging.max_size.bytes)
    problems.add(places.value(path + ".max_total"), "max_total: " + format_size(logging.max_total) +
                                                        " is less than one file may take, max_size is " +
                                                        format_size(logging.max_size));
}

}  // namespace

void check_logging(const Configuration& configuration, const Places& places, Problems& problems) {
  std::map<std::string, const std::pair<const std::string, Worker>*> writers;
  for (const auto& worker : configuration.workers) {
    const WorkerLogging& logging = worker.second.logging;
    const std::string path = "workers." + worker.first + ".logging";
    check_file(path, logging, places, problems);
    if (logging.file.empty()) continue;
    const auto [first, added] = writers.emplace(logging.file, &worker);
    if (added || same_rotation(first->second->second.logging, logging)) continue;
    problems.add(places.value(path + ".file"), "file: the worker '" + first->second->first +
                                                   "' writes the same file and rotates it otherwise: use the same "
                                                   "settings, or another file");
  }
}

}  // namespace slipway::config
