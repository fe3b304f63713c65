#include "supervisor/reporter.hpp"

#include <chrono>
#include <string>

#include "engine/engine.hpp"
#include "supervisor/unit_text.hpp"

namespace slipway::supervisor {
namespace {

logging::Level level_of(const engine::command::Report& report) {
  switch (report.name) {
    case engine::EventName::kUnitFailed:
    case engine::EventName::kRunFailed:
      return logging::Level::kError;
    case engine::EventName::kUnitUnhealthy:
    case engine::EventName::kUnitBackoff:
    case engine::EventName::kUnitKilled:
    case engine::EventName::kUnitSkipped:
    case engine::EventName::kUnitLeftover:
    case engine::EventName::kUnitHookFailed:
    case engine::EventName::kRunSkipped:
      return logging::Level::kWarning;
    case engine::EventName::kUnitStarting:
    case engine::EventName::kUnitHook:
      return logging::Level::kDebug;
    default:
      return logging::Level::kInfo;
  }
}

}  // namespace

Reporter::Reporter(logging::Log& log, logging::Ring& ring, const Setup& setup)
    : log_(&log),
      ring_(&ring),
      plan_(&setup.plan),
      redaction_(setup.secrets),
      least_(setup.configuration.logging.level) {}

void Reporter::redact(const std::vector<std::string>& secrets) {
  redaction_ = logging::Redaction(secrets);
  log_->redact(secrets);
}

void Reporter::report(const engine::command::Report& report) {
  std::vector<logging::Field> fields;
  if (report.pid) fields.push_back({"pid", std::int64_t{*report.pid}});
  if (report.status && report.status->kind != engine::ExitStatus::Kind::kNotStarted)
    fields.push_back({"code", std::int64_t{shell_code(*report.status)}});
  if (report.delay) fields.push_back({"delay_ms", std::int64_t{report.delay->count()}});
  const std::string_view unit = report.unit ? std::string_view(plan_->units[engine::index(*report.unit)].name) : "";
  write(level_of(report), unit, engine::to_string(report.name), report.message, fields);
}

void Reporter::say(logging::Level level, std::string_view event, std::string_view message) {
  write(level, {}, event, message, {});
}

void Reporter::write(logging::Level level, std::string_view unit, std::string_view event, std::string_view message,
                     const std::vector<logging::Field>& fields) {
  log_->write(level, unit, event, message, fields);
  if (level < least_) return;
  std::string line(unit);
  if (!line.empty()) line += ' ';
  line += redaction_.apply(message);
  ring_->append({logging::Source::kSlipway, logging::Stream::kError, std::chrono::system_clock::now(), line});
}

}  // namespace slipway::supervisor
