#include <algorithm>

#include "config/words.hpp"
#include "programs/slipway/plan_text.hpp"
#include "programs/slipway/unit_words.hpp"

namespace slipway::program {
namespace {

/// Both languages take a quoted string; what would end it or start markup is written as an entity or escaped.
std::string quoted(const std::string& text, GraphFormat format) {
  std::string out = "\"";
  for (const char byte : printable(text)) {
    if (format == GraphFormat::kDot) {
      if (byte == '"' || byte == '\\') out += '\\';
      out += byte;
    } else if (byte == '"' || byte == '#' || byte == '<' || byte == '>' || byte == '&') {
      out += "#" + std::to_string(static_cast<int>(byte)) + ";";
    } else {
      out += byte;
    }
  }
  return out + "\"";
}

struct Node {
  std::size_t number = 0;
  const engine::UnitSpec* unit = nullptr;
};

std::vector<Node> nodes_of(const engine::Plan& plan) {
  std::vector<Node> nodes;
  for (const engine::UnitSpec& unit : plan.units) {
    if (unit.replica == 0) nodes.push_back({nodes.size(), &unit});
  }
  return nodes;
}

std::size_t number_of(const std::vector<Node>& nodes, const std::string& worker) {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.unit->worker == worker; });
  return found == nodes.end() ? 0 : found->number;
}

std::string label_of(const engine::UnitSpec& unit) {
  return unit.replicas > 1 ? unit.worker + " x" + std::to_string(unit.replicas) : unit.worker;
}

const char* shape_of(engine::UnitKind kind) {
  switch (kind) {
    case engine::UnitKind::kService:
      return "ellipse";
    case engine::UnitKind::kOneshot:
      return "box";
    case engine::UnitKind::kScheduled:
      break;
  }
  return "hexagon";
}

std::string dot_node(const Node& node) {
  const char* shape = shape_of(node.unit->kind);
  return "  n" + std::to_string(node.number) + " [label=" + quoted(label_of(*node.unit), GraphFormat::kDot) +
         ", shape=" + shape + (node.unit->built_in ? ", style=filled" : "") +
         (node.unit->enabled ? "" : ", color=gray") + "];\n";
}

std::string mermaid_node(const Node& node) {
  const bool oneshot = node.unit->kind == engine::UnitKind::kOneshot;
  const std::string label = quoted(label_of(*node.unit), GraphFormat::kMermaid);
  if (node.unit->kind == engine::UnitKind::kScheduled)
    return "  n" + std::to_string(node.number) + "{{" + label + "}}\n";
  return "  n" + std::to_string(node.number) + (oneshot ? "[" + label + "]" : "([" + label + "])") + "\n";
}

std::string edge(std::size_t from, std::size_t to, const WorkerDependency& dependency, GraphFormat format) {
  const std::string condition = config::to_string(dependency.condition);
  const std::string source = "  n" + std::to_string(from);
  const std::string target = "n" + std::to_string(to);
  if (format == GraphFormat::kDot) {
    return source + " -> " + target + " [label=\"" + condition + "\"" + (dependency.required ? "" : ", style=dashed") +
           "];\n";
  }
  return source + (dependency.required ? " -->|" : " -.->|") + condition + "| " + target + "\n";
}

}  // namespace

std::string graph_text(const Inspection& inspection, GraphFormat format) {
  const std::vector<Node> nodes = nodes_of(inspection.plan);
  const bool dot = format == GraphFormat::kDot;
  std::string out =
      dot ? "digraph " + quoted(inspection.configuration.name, format) + " {\n  rankdir=LR;\n" : "flowchart LR\n";
  for (const Node& node : nodes) out += dot ? dot_node(node) : mermaid_node(node);
  for (const Node& node : nodes) {
    for (const WorkerDependency& dependency : dependencies_of(inspection.plan, *node.unit)) {
      out += edge(number_of(nodes, dependency.worker), node.number, dependency, format);
    }
  }
  return out + (dot ? "}\n" : "");
}

}  // namespace slipway::program
