#include <algorithm>
#include <map>

#include "config/loading/checks.hpp"
#include "config/loading/scalars.hpp"

namespace slipway::config {
namespace {

enum class BuiltIn { kNone, kOneshot, kService };

BuiltIn built_in(std::string_view name) {
  if (name == "initdb" || name == "database" || name == "migrate") return BuiltIn::kOneshot;
  if (name == "postgres" || name == "http") return BuiltIn::kService;
  return BuiltIn::kNone;
}

class DependencyChecks {
 public:
  DependencyChecks(const Configuration& configuration, const Places& places, Problems& problems)
      : configuration_(configuration), places_(places), problems_(problems) {}

  void run() {
    for (const auto& [name, worker] : configuration_.workers)
      for (const auto& [dependency, how] : worker.depends_on) check(name, worker, dependency, how);
    for (const auto& [name, worker] : configuration_.workers) visit(name);
  }

 private:
  static std::string path(const std::string& worker, const std::string& dependency) {
    return "workers." + worker + ".depends_on." + dependency;
  }
  void report(const std::string& worker, const std::string& dependency, const std::string& message) {
    problems_.add(places_.key(path(worker, dependency)), "depends_on: " + message);
  }

  void check(const std::string& name, const Worker& worker, const std::string& dependency, const Dependency& how) {
    if (const BuiltIn kind = built_in(dependency); kind != BuiltIn::kNone)
      return check_built_in(name, dependency, how, kind);
    const auto known = configuration_.workers.find(dependency);
    if (known == configuration_.workers.end()) {
      std::vector<std::string_view> names{"migrate", "database", "postgres"};
      for (const auto& [other, ignored] : configuration_.workers) names.push_back(other);
      return report(name, dependency, "there is no worker " + shown({dependency}) + suggestion(dependency, names));
    }
    const Worker& other = known->second;
    if (other.type == WorkerType::kScheduled)
      return report(name, dependency,
                    "'" + dependency + "' is a scheduled job, which nothing can wait for: make it a oneshot");
    if (how.condition == Condition::kHealthy && !other.ready && !other.healthcheck)
      report(name, dependency,
             "'" + dependency + "' can never be healthy: give it 'ready' or 'healthcheck', or use 'started'");
    if (how.condition == Condition::kCompleted && other.type == WorkerType::kService)
      report(name, dependency,
             "'" + dependency + "' is a service and never completes: use 'started' or 'healthy', or make it a oneshot");
    if (worker.enabled && !other.enabled && how.required)
      report(name, dependency, "'" + dependency + "' is disabled: enable it, or add 'required: false'");
  }

  void check_built_in(const std::string& name, const std::string& dependency, const Dependency& how, BuiltIn kind) {
    // A unit of the database that this boot has not (other backend, no migrations) is no mistake: the same file serves
    // every environment.
    if (dependency == "http" && configuration_.http.listen.empty() && how.required)
      return report(name, dependency, "there is no unit 'http' without http.listen: set it, or 'required: false' here");
    if (kind == BuiltIn::kService && how.condition == Condition::kCompleted)
      report(name, dependency, "'" + dependency + "' is a service and never completes: use 'started' or 'healthy'");
    if (kind == BuiltIn::kOneshot && how.condition == Condition::kHealthy)
      report(name, dependency, "'" + dependency + "' runs once and is never healthy: use 'completed'");
  }

  /// Depth first; a worker that is on the current path closes a cycle.
  void visit(const std::string& name) {
    if (done_.contains(name)) return;
    const auto on_path = std::find(path_.begin(), path_.end(), name);
    if (on_path != path_.end()) return report_cycle({on_path, path_.end()});
    const auto worker = configuration_.workers.find(name);
    if (worker == configuration_.workers.end()) return;
    path_.push_back(name);
    for (const auto& [dependency, how] : worker->second.depends_on) visit(dependency);
    path_.pop_back();
    done_.insert(name);
  }
  void report_cycle(std::vector<std::string> cycle) {
    std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
    const std::string& next = cycle.size() > 1 ? cycle[1] : cycle[0];
    std::string text;
    for (const std::string& name : cycle) text += name + " -> ";
    report(cycle[0], next, "workers wait for each other: " + text + cycle[0]);
  }

  const Configuration& configuration_;
  const Places& places_;
  Problems& problems_;
  std::vector<std::string> path_;
  std::set<std::string> done_;
};

}  // namespace

void check_dependencies(const Configuration& configuration, const Places& places, Problems& problems) {
  DependencyChecks(configuration, places, problems).run();
}

}  // namespace slipway::config
