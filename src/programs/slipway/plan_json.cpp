#include <boost/json.hpp>

#include "config/notation.hpp"
#include "config/words.hpp"
#include "control/protocol.hpp"
#include "engine/describe.hpp"
#include "engine/engine.hpp"
#include "logging/redaction.hpp"
#include "programs/slipway/plan_text.hpp"
#include "programs/slipway/unit_words.hpp"

namespace slipway::program {
namespace {

namespace json = boost::json;

/// Makes JSON values that hold no secret and are UTF-8.
struct Writer {
  const Inspection& inspection;
  logging::Redaction redaction;

  [[nodiscard]] std::string text(const std::string& value) const { return control::valid_utf8(redaction.apply(value)); }
  [[nodiscard]] json::array dependencies(const engine::UnitSpec& unit) const;
  [[nodiscard]] json::object launch(const engine::UnitSpec& unit) const;
  [[nodiscard]] json::object restart(const engine::RestartPolicy& policy) const;
  [[nodiscard]] json::array stop(const engine::UnitSpec& unit) const;
  [[nodiscard]] json::object unit(const engine::UnitSpec& unit) const;
};

json::array Writer::dependencies(const engine::UnitSpec& unit) const {
  json::array after;
  for (const engine::UnitDependency& dependency : unit.dependencies) {
    json::object each;
    each["unit"] = text(inspection.plan.units[engine::index(dependency.unit)].name);
    each["condition"] = config::to_string(dependency.condition);
    each["required"] = dependency.required;
    after.push_back(std::move(each));
  }
  return after;
}

json::object Writer::launch(const engine::UnitSpec& unit) const {
  json::object object;
  json::array argv;
  for (const std::string& word : unit.launch.argv) argv.push_back(json::value(text(word)));
  object["argv"] = std::move(argv);
  object["user"] = text(unit.launch.user);
  object["group"] = text(unit.launch.group);
  object["working_dir"] = text(unit.launch.working_dir);
  json::object environment;
  for (const auto& [name, value] : unit.launch.environment) environment[control::valid_utf8(name)] = text(value);
  object["environment"] = std::move(environment);
  return object;
}

json::object Writer::restart(const engine::RestartPolicy& policy) const {
  json::object object;
  object["when"] = config::to_string(policy.when);
  object["delay_ms"] = policy.delay.count();
  object["max_delay_ms"] = policy.max_delay.count();
  object["start_limit_burst"] = policy.start_limit_burst;
  object["start_limit_interval_ms"] = policy.start_limit_interval.count();
  return object;
}

json::array Writer::stop(const engine::UnitSpec& unit) const {
  json::array steps;
  for (const config::StopStep& step : unit.stop_sequence) {
    json::object each;
    each["signal"] = config::signal_name(step.signal.number);
    each["wait_ms"] = step.wait.count();
    steps.push_back(std::move(each));
  }
  return steps;
}

json::object Writer::unit(const engine::UnitSpec& unit) const {
  json::object object;
  object["name"] = text(unit.name);
  object["worker"] = text(unit.worker);
  object["kind"] = engine::describe(unit.kind);
  object["built_in"] = unit.built_in;
  object["enabled"] = unit.enabled;
  object["critical"] = unit.critical;
  for (auto& member : launch(unit)) object.emplace(member.key(), std::move(member.value()));
  object["runs_as"] = text(user_words(inspection.configuration, unit));
  object["after"] = dependencies(unit);
  object["ready"] = text(ready_words(unit));
  object["schedule"] = text(schedule_words(unit));
  object["health"] = text(health_words(unit));
  object["start_timeout_ms"] = unit.start_timeout.count();
  object["restart"] = restart(unit.restart);
  object["stop"] = stop(unit);
  object["kill_mode"] = config::to_string(unit.kill_mode);
  json::array markers;
  for (const engine::Marker marker : unit.markers_on_success) markers.push_back(json::value(engine::to_string(marker)));
  object["markers"] = std::move(markers);
  return object;
}

}  // namespace

std::string plan_json(const Inspection& inspection) {
  const Writer writer{inspection, logging::Redaction(inspection.secrets)};
  json::array units;
  for (const engine::UnitSpec& unit : inspection.plan.units) units.push_back(writer.unit(unit));
  json::object object;
  object["name"] = writer.text(inspection.configuration.name);
  object["config"] = writer.text(inspection.source);
  object["shutdown_timeout_ms"] = inspection.plan.shutdown_timeout.count();
  object["units"] = std::move(units);
  return control::to_line(object);
}

}  // namespace slipway::program
