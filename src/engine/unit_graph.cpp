#include "engine/unit_graph.hpp"

#include <functional>
#include <map>
#include <queue>
#include <utility>

namespace slipway::engine {
namespace {

using Names = std::map<std::string, std::size_t, std::less<>>;

std::string where(const UnitDraft& draft) { return "workers." + draft.spec.worker; }

Result<Names> names_of(const std::vector<UnitDraft>& drafts) {
  Names names;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (names.emplace(drafts[i].spec.worker, i).second) continue;
    return failure(ExitCode::kConfiguration,
                   where(drafts[i]) + ": this name belongs to a built-in unit of this boot: choose another");
  }
  return names;
}

/// By draft, the drafts it depends on.
Result<std::vector<std::vector<std::size_t>>> edges_of(const std::vector<UnitDraft>& drafts, const Names& names) {
  std::vector<std::vector<std::size_t>> edges(drafts.size());
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    for (const NamedDependency& dependency : drafts[i].dependencies) {
      const auto found = names.find(dependency.name);
      if (found == names.end()) {
        return failure(ExitCode::kConfiguration, where(drafts[i]) + ".depends_on: there is no worker '" +
                                                     dependency.name + "': name a worker or a built-in unit");
      }
      const bool never = drafts[i].spec.enabled && dependency.required && !drafts[found->second].spec.enabled;
      if (never) {
        return failure(ExitCode::kConfiguration, where(drafts[i]) + ".depends_on: '" + dependency.name +
                                                     "' is disabled: enable it, or say `required: false`");
      }
      edges[i].push_back(found->second);
    }
  }
  return edges;
}

/// Follows unplaced dependencies, which every unplaced draft has, until one comes up again.
std::string describe_cycle(const std::vector<UnitDraft>& drafts, const std::vector<std::vector<std::size_t>>& edges,
                           const std::vector<bool>& placed) {
  std::vector<std::size_t> path;
  std::vector<bool> seen(drafts.size(), false);
  std::size_t at = 0;
  while (placed[at]) ++at;
  while (!seen[at]) {
    seen[at] = true;
    path.push_back(at);
    for (const std::size_t next : edges[at]) {
      if (placed[next]) continue;
      at = next;
      break;
    }
  }
  std::string text;
  bool in_cycle = false;
  for (const std::size_t draft : path) {
    in_cycle = in_cycle || draft == at;
    if (in_cycle) text += drafts[draft].spec.worker + " -> ";
  }
  return text + drafts[at].spec.worker;
}

/// Kahn's algorithm; among those that may come next, the first draft goes first.
Result<std::vector<std::size_t>> sorted(const std::vector<UnitDraft>& drafts,
                                        const std::vector<std::vector<std::size_t>>& edges) {
  std::vector<std::vector<std::size_t>> dependents(drafts.size());
  std::vector<std::size_t> open(drafts.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> next;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    open[i] = edges[i].size();
    if (open[i] == 0) next.push(i);
    for (const std::size_t dependency : edges[i]) dependents[dependency].push_back(i);
  }
  std::vector<std::size_t> order;
  std::vector<bool> placed(drafts.size(), false);
  while (!next.empty()) {
    const std::size_t draft = next.top();
    next.pop();
    order.push_back(draft);
    placed[draft] = true;
    for (const std::size_t dependent : dependents[draft]) {
      if (--open[dependent] == 0) next.push(dependent);
    }
  }
  if (order.size() == drafts.size()) return order;
  return failure(ExitCode::kConfiguration,
                 "workers: depends_on goes in a circle: " + describe_cycle(drafts, edges, placed) +
                     ": remove one of these dependencies");
}

struct Instances {
  std::size_t first = 0;
  std::size_t count = 0;
};

void add_instances(const UnitDraft& draft, const Names& names, std::vector<Instances>& placed,
                   std::vector<UnitSpec>& units) {
  UnitSpec spec = draft.spec;
  for (const NamedDependency& dependency : draft.dependencies) {
    const Instances& on = placed[names.find(dependency.name)->second];
    for (std::size_t i = 0; i < on.count; ++i) {
      spec.dependencies.push_back({static_cast<UnitId>(on.first + i), dependency.condition, dependency.required});
    }
  }
  placed[names.find(spec.worker)->second] = {units.size(), spec.replicas};
  for (unsigned replica = 0; replica < spec.replicas; ++replica) {
    spec.replica = replica;
    spec.name = spec.replicas > 1 ? spec.worker + "[" + std::to_string(replica) + "]" : spec.worker;
    if (!spec.built_in) {
      spec.launch.environment["REPLICA"] = std::to_string(replica);
      spec.launch.environment["REPLICAS"] = std::to_string(spec.replicas);
    }
    units.push_back(spec);
  }
}

}  // namespace

Result<std::vector<UnitSpec>> order_units(const std::vector<UnitDraft>& drafts) {
  const auto names = names_of(drafts);
  if (!names) return tl::unexpected(names.error());
  const auto edges = edges_of(drafts, *names);
  if (!edges) return tl::unexpected(edges.error());
  const auto order = sorted(drafts, *edges);
  if (!order) return tl::unexpected(order.error());
  std::vector<UnitSpec> units;
  std::vector<Instances> placed(drafts.size());
  for (const std::size_t draft : *order) add_instances(drafts[draft], *names, placed, units);
  return units;
}

}  // namespace slipway::engine
