#include "control/requests.hpp"

#include <algorithm>
#include <utility>

#include "control/unit_patterns.hpp"

namespace slipway::control {
namespace {

namespace json = boost::json;

json::object accepted() {
  json::object object;
  object["ok"] = true;
  return object;
}

Outcome reply_with(json::object object) {
  Outcome outcome;
  outcome.reply = std::move(object);
  return outcome;
}

/// One unit on its way to what an operator asked for.
struct Goal {
  std::size_t unit = 0;
  int pid_before = 0;  ///< a restart is over only when another process runs
  std::string refused;
};

enum class Progress { kUnderWay, kReached, kMissed };

Progress progress_of_start(const UnitStatus& unit, Verb verb, int pid_before) {
  if (verb == Verb::kRestart && unit.pid != 0 && unit.pid == pid_before) return Progress::kUnderWay;
  // A job is started when the run is over.
  if (unit.kind == "scheduled" && unit.state == "scheduled")
    return unit.reason.empty() ? Progress::kReached : Progress::kMissed;
  const bool oneshot = unit.kind != "service";
  if (unit.state == "exited") return oneshot ? Progress::kReached : Progress::kMissed;
  if (is_final(unit)) return Progress::kMissed;
  if (oneshot) return Progress::kUnderWay;
  const bool up = unit.state == "running" || unit.state == "ready" || unit.state == "unhealthy";
  return up ? Progress::kReached : Progress::kUnderWay;
}

Progress progress_of(const UnitStatus& unit, Verb verb, int pid_before) {
  switch (verb) {
    case Verb::kStart:
    case Verb::kRestart:
      return progress_of_start(unit, verb, pid_before);
    case Verb::kStop:
      return is_final(unit) ? Progress::kReached : Progress::kUnderWay;
    case Verb::kSignal:
    case Verb::kReload:
      return Progress::kReached;
  }
  return Progress::kReached;
}

std::string describe_miss(const UnitStatus& unit, Verb verb) {
  std::string text = unit.name + ": " + to_string(verb) + ": it is " + unit.state;
  if (!unit.reason.empty()) {
    text += ": " + unit.reason;
  } else if (unit.last_exit) {
    text += ": " + unit.last_exit->text;
  }
  return text;
}

class WaitingForUnits final : public Waiting {
 public:
  WaitingForUnits(Verb verb, std::vector<Goal> goals) : verb_(verb), goals_(std::move(goals)) {}

  std::optional<json::object> look(const Handler& handler) override {
    // Only units that are still under way are looked at, from the last one that held the answer up.
    for (; next_ < goals_.size(); ++next_) {
      const Goal& goal = goals_[next_];
      if (!goal.refused.empty()) continue;
      if (progress_of(handler.unit(goal.unit), verb_, goal.pid_before) == Progress::kUnderWay) return std::nullopt;
    }
    return summary(handler);
  }

  [[nodiscard]] json::object summary(const Handler& handler) const {
    json::array units;
    std::string errors;
    const char* code = "failed";
    for (const Goal& goal : goals_) {
      const UnitStatus unit = handler.unit(goal.unit);
      std::string error;
      if (!goal.refused.empty()) {
        error = unit.name + ": " + to_string(verb_) + ": " + goal.refused;
        code = "refused";
      } else if (progress_of(unit, verb_, goal.pid_before) == Progress::kMissed) {
        error = describe_miss(unit, verb_);
      }
      if (!error.empty()) errors += (errors.empty() ? "" : "\n") + error;
      units.push_back(to_json(unit));
    }
    json::object object = errors.empty() ? accepted() : refusal(code, errors);
    object["units"] = std::move(units);
    return object;
  }

 private:
  Verb verb_;
  std::vector<Goal> goals_;
  std::size_t next_ = 0;
};

class WaitingForMilestone final : public Waiting {
 public:
  explicit WaitingForMilestone(Milestone milestone) : milestone_(milestone) {}

  std::optional<json::object> look(const Handler& handler) override {
    // A container that has stopped answers nothing any more: its closing the connection is the answer.
    if (milestone_ == Milestone::kStopped) return std::nullopt;
    const ContainerStatus container = handler.container();
    if (milestone_ == Milestone::kReady ? container.ready : container.migrated) return accepted();
    if (container.state != ContainerState::kStopping) return std::nullopt;
    return refusal("failed", "the container is stopping: it will not be " + std::string(to_string(milestone_)));
  }

 private:
  Milestone milestone_;
};

Outcome answer_or_wait(std::unique_ptr<Waiting> waiting, const Handler& handler) {
  Outcome outcome;
  outcome.reply = waiting->look(handler);
  if (!outcome.reply) outcome.waiting = std::move(waiting);
  return outcome;
}

Outcome answer_status(const Handler& handler) {
  json::object object = accepted();
  for (auto& member : to_json(take_snapshot(handler))) object.emplace(member.key(), std::move(member.value()));
  return reply_with(std::move(object));
}

Outcome answer_health(const Handler& handler) {
  json::object object = accepted();
  const ContainerStatus container = handler.container();
  object["ready"] = container.ready;
  object["state"] = to_string(container.state);
  object["why"] = container.ready ? std::string() : valid_utf8(why_not_ready(take_snapshot(handler)));
  return reply_with(std::move(object));
}

/// `start job` runs a job once: of its instances, the first one that is free.
std::vector<std::size_t> without_other_instances(const Request& request, const Handler& handler,
                                                 const std::vector<std::size_t>& units) {
  std::vector<std::size_t> kept;
  std::string job;
  for (const std::size_t index : units) {
    const UnitStatus unit = handler.unit(index);
    const bool named = std::find(request.units.begin(), request.units.end(), unit.name) != request.units.end();
    if (request.verb != Verb::kStart || unit.kind != "scheduled" || named) {
      kept.push_back(index);
    } else if (unit.worker != job) {
      job = unit.worker;
      kept.push_back(index);
    } else if (handler.unit(kept.back()).pid != 0 && unit.pid == 0) {
      kept.back() = index;
    }
  }
  return kept;
}

Outcome answer_action(const Request& request, Handler& handler) {
  const auto units = match_units(handler, request.units);
  if (!units) return reply_with(refusal("unknown_unit", units.error().message));
  std::vector<Goal> goals;
  for (const std::size_t unit : without_other_instances(request, handler, *units)) {
    Goal goal;
    goal.unit = unit;
    goal.pid_before = handler.unit(unit).pid;
    goal.refused = handler.act(request.verb, unit, request.signal).value_or("");
    goals.push_back(std::move(goal));
  }
  auto waiting = std::make_unique<WaitingForUnits>(request.verb, std::move(goals));
  if (!request.wait) return reply_with(waiting->summary(handler));
  return answer_or_wait(std::move(waiting), handler);
}

json::array to_json(const std::vector<PlanChange>& changes) {
  json::array all;
  for (const PlanChange& each : changes) {
    json::array why;
    for (const std::string& word : each.why) why.emplace_back(valid_utf8(word));
    all.push_back(json::object{{"name", valid_utf8(each.name)}, {"action", each.action}, {"why", std::move(why)}});
  }
  return all;
}

/// First until the new plan is in force or refused, then until what starts because of it is up.
class WaitingForReplan final : public Waiting {
 public:
  WaitingForReplan(std::uint64_t ticket, bool wait) : ticket_(ticket), wait_(wait) {}

  std::optional<json::object> look(const Handler& handler) override {
    if (!report_) {
      report_ = handler.replan_report(ticket_);
      if (!report_) return std::nullopt;
      if (!report_->error.empty()) return refusal("refused", report_->error);
      std::vector<Goal> goals;
      for (const std::size_t unit : wait_ ? report_->started : std::vector<std::size_t>())
        goals.push_back({unit, 0, {}});
      started_ = WaitingForUnits(Verb::kStart, std::move(goals));
    }
    std::optional<json::object> reply = started_.look(handler);
    if (!reply) return std::nullopt;
    (*reply)["applied"] = report_->applied;
    (*reply)["changes"] = to_json(report_->changes);
    return reply;
  }

 private:
  std::uint64_t ticket_;
  bool wait_;
  std::optional<ReplanReport> report_;
  WaitingForUnits started_{Verb::kStart, {}};
};

Outcome answer_logs(const Request& request, const Handler& handler) {
  const auto units = match_units(handler, request.units);
  if (!units) return reply_with(refusal("unknown_unit", units.error().message));
  Backlog backlog(handler, *units, request.lines);
  json::object object = backlog.next(handler);
  object["ok"] = true;
  object["following"] = request.follow;
  json::array uncaptured;
  for (const std::size_t unit : *units) {
    if (!handler.captured(unit)) uncaptured.emplace_back(valid_utf8(handler.unit(unit).name));
  }
  if (!uncaptured.empty()) object["uncaptured"] = std::move(uncaptured);
  Outcome outcome = reply_with(std::move(object));
  if (!backlog.done()) outcome.backlog.emplace(std::move(backlog));
  if (!request.follow) return outcome;
  Following following;
  following.slipway = request.units.empty();
  following.units.assign(handler.unit_count(), request.units.empty());
  for (const std::size_t unit : *units) following.units[unit] = true;
  outcome.following = std::move(following);
  return outcome;
}

}  // namespace

Backlog::Backlog(const Handler& handler, std::vector<std::size_t> units, std::size_t lines)
    : units_(std::move(units)), names_(unit_names(handler)), range_(handler.last_logs(units_, lines)) {}

json::object Backlog::next(const Handler& handler) {
  constexpr std::size_t kPart = 64 * 1024;  // each byte may take six in JSON
  json::array lines;
  for (const LogLine& line : handler.read_logs(units_, range_, kPart)) {
    lines.push_back(line_to_json(line.unit < names_.size() ? names_[line.unit] : "slipway", line.time, line.text));
  }
  given_ += lines.size();
  json::object object;
  object["lines"] = std::move(lines);
  if (!done()) object["more"] = true;
  return object;
}

void Backlog::extend(const Handler& handler) {
  range_.to = handler.last_logs(units_, 0).to;
  given_ = 0;
}

Outcome answer(const Request& request, Handler& handler, bool observer) {
  const bool acts = request.operation == Operation::kAct || request.operation == Operation::kReload ||
                    request.operation == Operation::kScale;
  if (observer && (acts || request.operation == Operation::kLogs)) {
    return reply_with(refusal("forbidden", "this connection may only look: it asked for that with observe"));
  }
  switch (request.operation) {
    case Operation::kStatus:
      return answer_status(handler);
    case Operation::kHealth:
      return answer_health(handler);
    case Operation::kAct:
      return answer_action(request, handler);
    case Operation::kLogs:
      return answer_logs(request, handler);
    case Operation::kReload:
      return answer_or_wait(std::make_unique<WaitingForReplan>(handler.reload(request.dry_run), request.wait), handler);
    case Operation::kScale:
      return answer_or_wait(
          std::make_unique<WaitingForReplan>(handler.scale(request.worker, request.replicas), request.wait), handler);
    case Operation::kWait:
      return answer_or_wait(std::make_unique<WaitingForMilestone>(request.milestone), handler);
    case Operation::kObserve:
      break;
  }
  Outcome outcome = reply_with(accepted());
  outcome.observe = true;
  return outcome;
}

Snapshot take_snapshot(const Handler& handler) {
  Snapshot snapshot;
  snapshot.container = handler.container();
  const std::vector<std::size_t> units = handler.listing();
  snapshot.units.reserve(units.size());
  for (const std::size_t unit : units) snapshot.units.push_back(handler.unit(unit));
  return snapshot;
}

std::vector<std::string> unit_names(const Handler& handler) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < handler.unit_count(); ++i) names.push_back(handler.unit(i).name);
  return names;
}

json::object line_to_json(std::string_view unit, std::chrono::system_clock::time_point time, std::string_view text) {
  json::object object;
  object["unit"] = valid_utf8(unit);
  object["time"] = utc_time(time);
  object["text"] = valid_utf8(text);
  return object;
}

}  // namespace slipway::control
