#include "supervisor/reload_text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "config/difference.hpp"

namespace slipway::supervisor {
namespace {

using engine::Change;

/// What a reload may change; every other section, also one that does not exist yet, needs another boot.
constexpr std::array<std::string_view, 6> kLiveSections{
    "environment", "environment_sources", "environment_output", "templates", "workers", "shutdown"};

struct Instances {
  unsigned unchanged = 0;
  unsigned changed = 0;
  unsigned added = 0;
  unsigned removed = 0;
};

std::map<std::string, Instances> count(const Setup& before, const engine::Reconciled& reconciled) {
  std::map<std::string, Instances> workers;
  for (std::size_t i = 0; i < reconciled.plan.units.size(); ++i) {
    const engine::UnitSpec& unit = reconciled.plan.units[i];
    const Change change = reconciled.changes[i];
    if (change == Change::kNone && unit.removed) continue;
    const bool existed = i < before.plan.units.size();
    Instances& all = workers[change == Change::kRemoved && existed ? before.plan.units[i].worker : unit.worker];
    all.unchanged += change == Change::kNone ? 1 : 0;
    all.changed += change == Change::kChanged ? 1 : 0;
    all.added += change == Change::kAdded ? 1 : 0;
    all.removed += change == Change::kRemoved ? 1 : 0;
  }
  return workers;
}

const config::Worker* find(const Setup& setup, const std::string& name) {
  const auto found = setup.configuration.workers.find(name);
  return found == setup.configuration.workers.end() ? nullptr : &found->second;
}

bool runs(const config::Worker& worker) { return worker.enabled && worker.replicas > 0; }

std::vector<std::string> reasons(const Setup& before, const Setup& after, const std::string& name) {
  std::vector<std::string> why = config::changed_keys(*find(before, name), *find(after, name));
  const auto old_inputs = before.launch_inputs.find(name);
  const auto new_inputs = after.launch_inputs.find(name);
  if (old_inputs != before.launch_inputs.end() && new_inputs != after.launch_inputs.end()) {
    if (old_inputs->second.environment != new_inputs->second.environment) why.emplace_back("the common environment");
    if (old_inputs->second.env_files != new_inputs->second.env_files) why.emplace_back("contents of env_file");
    if (old_inputs->second.templates != new_inputs->second.templates) why.emplace_back("rendered files");
  }
  if (before.exports != after.exports) why.emplace_back("the database's variables");
  return why;
}

control::PlanChange describe(const Setup& before, const Setup& after, const std::string& name, const Instances& all) {
  const config::Worker* old_worker = find(before, name);
  const config::Worker* new_worker = find(after, name);
  if (new_worker == nullptr) return {name, "stop", {"removed"}};
  if (old_worker == nullptr) return {name, runs(*new_worker) ? "start" : "apply", {"added"}};
  control::PlanChange change{name, "restart", reasons(before, after, name)};
  if (!runs(*new_worker)) {
    change.action = runs(*old_worker) ? "stop" : "apply";
  } else if (!runs(*old_worker)) {
    change.action = "start";
  } else if (all.changed == 0) {
    change = {name, "scale", {std::to_string(old_worker->replicas) + " -> " + std::to_string(new_worker->replicas)}};
  }
  return change;
}

}  // namespace

std::vector<control::PlanChange> describe_changes(const Setup& before, const Setup& after,
                                                  const engine::Reconciled& reconciled) {
  std::vector<control::PlanChange> changes;
  for (const auto& [name, all] : count(before, reconciled)) {
    if (all.changed + all.added + all.removed == 0) continue;
    changes.push_back(describe(before, after, name, all));
  }
  for (const std::string& section : config::changed_sections(before.configuration, after.configuration)) {
    if (section == "shutdown") changes.push_back({section, "apply", {}});
  }
  return changes;
}

std::vector<std::string> fixed_sections(const config::Configuration& before, const config::Configuration& after) {
  std::vector<std::string> sections = config::changed_sections(before, after);
  std::erase_if(sections, [](const std::string& section) {
    return std::find(kLiveSections.begin(), kLiveSections.end(), section) != kLiveSections.end();
  });
  return sections;
}

std::string to_text(const std::vector<control::PlanChange>& changes) {
  std::string text;
  for (const control::PlanChange& each : changes) {
    text += (text.empty() ? "" : "; ") + each.name + ": " + each.action;
    std::string why;
    for (const std::string& word : each.why) why += (why.empty() ? "" : ", ") + word;
    if (!why.empty()) text += " (" + why + ")";
  }
  return text.empty() ? "nothing changes" : text;
}

}  // namespace slipway::supervisor
