#include "programs/slipway/plan_text.hpp"

#include "config/notation.hpp"
#include "engine/engine.hpp"
#include "logging/redaction.hpp"
#include "programs/slipway/unit_words.hpp"

namespace slipway::program {
namespace {

struct Row {
  const char* label;
  std::string value;
};

std::string migration_words(const config::Migrations& migrations) {
  std::string text;
  for (const config::MigrationStep& step : migrations.steps) {
    text += (text.empty() ? "" : "; ") + config::join_command_line(step.command);
  }
  if (text.empty() && !migrations.command.empty()) text = config::join_command_line(migrations.command);
  return text;
}

std::string marker_words(const engine::UnitSpec& unit) {
  std::string text;
  for (const engine::Marker marker : unit.markers_on_success) {
    text += (text.empty() ? "" : ", ") + std::string(engine::to_string(marker));
  }
  return text;
}

std::vector<Row> rows_of(const Inspection& inspection, const engine::UnitSpec& unit) {
  std::vector<Row> rows{{"runs", config::join_command_line({unit.launch.argv})}};
  if (unit.built_in && unit.worker == "migrate") {
    rows.push_back({"migrates by", migration_words(inspection.configuration.migrations)});
  }
  rows.push_back({"as", user_words(inspection.configuration, unit)});
  rows.push_back({"in", unit.launch.working_dir});
  rows.push_back({"after", dependency_words(inspection.plan, unit)});
  rows.push_back({"when", schedule_words(unit)});
  rows.push_back({"ready", unit.schedule ? std::string() : ready_words(unit)});
  rows.push_back({"health", health_words(unit)});
  rows.push_back({"writes", marker_words(unit)});
  rows.push_back({"restart", restart_words(unit)});
  rows.push_back({"stop", stop_words(unit)});
  rows.push_back({"if it fails", failure_words(unit)});
  return rows;
}

/// The first of a worker's replicas stands for all of them.
bool is_shown(const engine::UnitSpec& unit) { return unit.replica == 0; }

}  // namespace

std::string plan_text(const Inspection& inspection, const Terminal& terminal) {
  constexpr std::size_t kLabelWidth = 13;
  const logging::Redaction redaction(inspection.secrets);
  const auto& units = inspection.plan.units;
  std::string out = terminal.paint(Ink::kBold, printable(inspection.configuration.name)) + ": " +
                    std::to_string(units.size()) + (units.size() == 1 ? " unit" : " units") + ", from " +
                    printable(inspection.source) + "\n";
  std::size_t number = 0;
  for (const engine::UnitSpec& unit : units) {
    if (!is_shown(unit)) continue;
    out += "\n" + std::to_string(++number) + ". " + terminal.paint(Ink::kBold, printable(unit.worker)) + " (" +
           kind_words(unit) + ")\n";
    for (const Row& row : rows_of(inspection, unit)) {
      if (row.value.empty()) continue;
      std::string value = printable(redaction.apply(row.value));
      if (terminal.width > kLabelWidth + 20) value = shortened(value, terminal.width - kLabelWidth - 3);
      const std::string label = row.label;
      out += "   " + terminal.paint(Ink::kDim, label) + std::string(kLabelWidth - label.size(), ' ') + value + "\n";
    }
  }
  return out;
}

}  // namespace slipway::program
