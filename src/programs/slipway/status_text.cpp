#include "programs/slipway/status_text.hpp"

namespace slipway::program {
namespace {

Ink ink_of(const std::string& state) {
  if (state == "ready" || state == "running") return Ink::kGreen;
  if (state == "failed" || state == "unhealthy") return Ink::kRed;
  if (state == "inactive" || state == "scheduled" || state == "exited" || state == "skipped") return Ink::kDim;
  return Ink::kYellow;
}

Ink ink_of(control::ContainerState state) {
  switch (state) {
    case control::ContainerState::kReady:
      return Ink::kGreen;
    case control::ContainerState::kDegraded:
      return Ink::kRed;
    case control::ContainerState::kBooting:
    case control::ContainerState::kStopping:
      break;
  }
  return Ink::kYellow;
}

std::string heading(const control::ContainerStatus& container, const Terminal& terminal) {
  std::string text = terminal.paint(Ink::kBold, printable(container.name)) + ": ";
  text += terminal.paint(ink_of(container.state), control::to_string(container.state));
  text += container.migrated ? ", migrated" : ", not migrated";
  text += ", up " + brief(container.uptime);
  text += ", " + (container.config_source.empty() ? "no configuration" : printable(container.config_source));
  return text + "\n";
}

/// When a job ran and will run: "next in 4m12s, last 48s ago, 2 skipped".
std::string schedule_note(const control::UnitStatus& unit, std::chrono::system_clock::time_point now) {
  using std::chrono::milliseconds;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (unit.next_run) add("next in " + brief(std::chrono::round<milliseconds>(*unit.next_run - now)));
  if (unit.last_run) add("last " + brief(std::chrono::round<milliseconds>(now - *unit.last_run)) + " ago");
  if (unit.skipped_runs > 0) add(std::to_string(unit.skipped_runs) + " skipped");
  return text;
}

/// What a person asks next: why it waits or failed, else what it says itself, else how it becomes ready.
std::string note(const control::UnitStatus& unit, std::chrono::system_clock::time_point now) {
  const std::string schedule = schedule_note(unit, now);
  if (!unit.reason.empty() && !schedule.empty()) return schedule + "; " + printable(unit.reason);
  if (!schedule.empty()) return schedule;
  if (!unit.reason.empty()) return printable(unit.reason);
  if (unit.reloading) return "reloading" + (unit.status.empty() ? "" : ": " + printable(unit.status));
  if (!unit.status.empty() && unit.pid != 0) return printable(unit.status);
  if (!unit.enabled) return "disabled";
  if (unit.state == "starting" && !unit.ready_by.empty()) return "waits for " + printable(unit.ready_by);
  return {};
}

}  // namespace

std::string status_text(const control::Snapshot& snapshot, const Terminal& terminal,
                        std::chrono::system_clock::time_point now) {
  Table table;
  table.add({{"UNIT"}, {"KIND"}, {"STATE"}, {"PID"}, {"FOR"}, {"RESTARTS"}, {"LAST EXIT"}, {"NOTE"}});
  for (const control::UnitStatus& unit : snapshot.units) {
    table.add({{printable(unit.name)},
               {printable(unit.kind)},
               {printable(unit.state), ink_of(unit.state)},
               {unit.pid == 0 ? "-" : std::to_string(unit.pid)},
               {brief(unit.since)},
               {std::to_string(unit.restarts), unit.restarts == 0 ? Ink::kPlain : Ink::kYellow},
               {unit.last_exit ? shortened(printable(unit.last_exit->text), 32) : "-"},
               {note(unit, now)}});
  }
  return heading(snapshot.container, terminal) + "\n" + table.render(terminal);
}

}  // namespace slipway::program
