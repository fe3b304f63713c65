#include "supervisor/reloader.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>

#include "supervisor/launch_inputs.hpp"
#include "supervisor/reload_text.hpp"

namespace slipway::supervisor {
namespace {

constexpr std::size_t kReportsKept = 16;

Error joined(const config::LoadFailure& failed) {
  Error error{"", ExitCode::kConfiguration};
  for (const config::Diagnostic& each : failed.diagnostics) {
    error.message += (error.message.empty() ? "" : "\n") + config::to_string(each);
  }
  return error;
}

std::string first_line_without_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

}  // namespace

Reloader::Reloader(boost::asio::io_context& context, host::ChildTable& children, Setup& setup,
                   const engine::Engine& engine, Reporter& reporter, Apply apply, std::function<void()> changed)
    : setup_(&setup),
      engine_(&engine),
      reporter_(&reporter),
      reader_(context, children, setup),
      apply_(std::move(apply)),
      changed_(std::move(changed)) {}

std::uint64_t Reloader::begin(const char* what) {
  const std::uint64_t ticket = ++ticket_;
  if (busy_ || engine_->stopping()) {
    control::ReplanReport refused;
    refused.error = busy_ ? "a reload is under way: try again when it has ended" : "the container stops";
    reports_.emplace_back(ticket, std::move(refused));
    return 0;
  }
  busy_ = true;
  handed_in_ = false;
  dry_run_ = false;
  what_ = what;
  current_ = ticket;
  report_ = {};
  return ticket;
}

std::uint64_t Reloader::reload(bool dry_run) {
  if (begin("reload") == 0) return ticket_;
  dry_run_ = dry_run;
  if (setup_->config_source.empty()) {
    refuse("there is no configuration to read again: this container was started with a command alone");
    return ticket_;
  }
  reader_.read([this](Result<config::FileTranscript> transcript) { on_read(std::move(transcript)); });
  return ticket_;
}

std::uint64_t Reloader::scale(const std::string& worker, unsigned replicas) {
  if (begin("scale") == 0) return ticket_;
  Setup next = *setup_;
  const auto found = next.configuration.workers.find(worker);
  if (found == next.configuration.workers.end()) {
    refuse(worker + ": there is no such worker in the configuration: `slipway status` lists them");
    return ticket_;
  }
  found->second.replicas = replicas;
  plan(std::move(next));
  return ticket_;
}

std::optional<control::ReplanReport> Reloader::report(std::uint64_t ticket) const {
  for (const auto& [number, report] : reports_) {
    if (number == ticket) return report;
  }
  if (busy_ && ticket == current_) return std::nullopt;
  control::ReplanReport forgotten;
  forgotten.error = "how it ended is not known any more";
  return forgotten;
}

void Reloader::on_read(Result<config::FileTranscript> transcript) {
  if (!transcript) return refuse(transcript.error().message);
  Result<Setup> next = load(*transcript);
  if (!next) return refuse(next.error().message);
  plan(std::move(*next));
}

/// From the transcript alone: no file is touched.
Result<Setup> Reloader::load(const config::FileTranscript& transcript) const {
  config::LoadRequest request = setup_->request;
  request.read_file = transcript.replaying();
  auto loaded = config::load(request);
  if (!loaded) return tl::unexpected<Error>(joined(loaded.error()));
  if (loaded->source != setup_->config_source) {
    return failure(ExitCode::kConfiguration,
                   setup_->config_source + ": it is not there any more" +
                       (loaded->source.empty() ? std::string() : ", and " + loaded->source + " is another one") +
                       ": put it back, or restart the container");
  }
  std::string fixed;
  for (const std::string& section : fixed_sections(setup_->configuration, loaded->configuration)) {
    fixed += (fixed.empty() ? "" : "\n") + section + ": has changed, and that needs a restart of the container";
  }
  if (!fixed.empty()) return failure(ExitCode::kConfiguration, fixed);
  Setup next = *setup_;
  next.launch_inputs = read_launch_inputs(*loaded, request.read_file);
  next.configuration = std::move(loaded->configuration);
  next.environment = std::move(loaded->environment);
  next.config_sha256 = std::move(loaded->sha256);
  // What was secret before still is.
  next.secrets.insert(next.secrets.end(), loaded->secrets.begin(), loaded->secrets.end());
  std::sort(next.secrets.begin(), next.secrets.end());
  next.secrets.erase(std::unique(next.secrets.begin(), next.secrets.end()), next.secrets.end());
  if (Result<void> taken = take_exports(next, transcript); !taken) return tl::unexpected<Error>(taken.error());
  return next;
}

/// The database section is the same, so only the contents of its password file can differ. A local server keeps the
/// password of its boot.
Result<void> Reloader::take_exports(Setup& next, const config::FileTranscript& transcript) const {
  config::Configuration known = next.configuration;
  config::PostgresDatabase& postgres = known.database.postgres;
  if (known.database.backend != config::Backend::kPostgres || postgres.local || postgres.password_file.empty())
    return {};
  const auto text = transcript.replaying()(postgres.password_file, config::kMaximumFileSize);
  if (!text) {
    return failure(ExitCode::kConfiguration,
                   "database.postgres.password_file: " + postgres.password_file + ": " + text.error().reason);
  }
  postgres.password = config::Secret(first_line_without_end(*text));
  postgres.password_file.clear();
  Result<DatabaseExports> exports = setup_->exports_of(known);
  if (!exports) return tl::unexpected<Error>(exports.error());
  next.exports = std::move(exports->variables);
  for (std::string& secret : exports->secrets) next.secrets.push_back(std::move(secret));
  return {};
}

void Reloader::plan(Setup next) {
  Result<engine::Plan> plan = build_plan(next);
  if (!plan) return refuse(plan.error().message);
  keep_built_in(*plan);
  next_ = std::move(next);
  describe(*plan);
  next_->plan = std::move(*plan);
  const bool writes = next_->configuration.environment_output.size() + next_->configuration.templates.size() > 0;
  const bool same = next_->launch_inputs == setup_->launch_inputs;
  if (dry_run_) return finish();
  if (what_ == std::string_view("scale") || !writes || same) return apply();
  reader_.write([this](Result<void> written) {
    if (!written) return refuse(written.error().message);
    apply();
  });
}

/// Their settings are the same or the reload is refused. Variables of the database that differ do not run a migration
/// again, nor the container's own command.
void Reloader::keep_built_in(engine::Plan& plan) const {
  for (engine::UnitSpec& unit : plan.units) {
    if (!unit.built_in) continue;
    for (const engine::UnitSpec& running : setup_->plan.units) {
      if (running.removed || !running.built_in || running.worker != unit.worker) continue;
      std::vector<engine::UnitDependency> dependencies = std::move(unit.dependencies);
      unit = running;
      unit.dependencies = std::move(dependencies);
    }
  }
}

void Reloader::describe(const engine::Plan& plan) {
  const std::vector<bool> reusable(setup_->plan.units.size(), false);
  const engine::Reconciled difference = engine::reconcile(setup_->plan, plan, reusable);
  report_.changes = describe_changes(*setup_, *next_, difference);
}

void Reloader::apply() {
  const std::optional<std::string> refused = apply_(engine::event::Reload{next_->plan});
  if (!busy_) return;  // it is in force already
  if (refused) return refuse(*refused);
  handed_in_ = true;
}

void Reloader::in_force(const engine::Plan& plan) {
  if (!busy_ || !next_) return;
  for (std::size_t i = 0; i < plan.units.size(); ++i) {
    const engine::UnitState state = engine_->view(static_cast<engine::UnitId>(i)).state;
    const bool starts = state == engine::UnitState::kWaiting || state == engine::UnitState::kStarting;
    const auto named = [&](const control::PlanChange& each) { return each.name == plan.units[i].worker; };
    if (plan.units[i].removed || !starts) continue;
    if (std::any_of(report_.changes.begin(), report_.changes.end(), named)) report_.started.push_back(i);
  }
  *setup_ = std::move(*next_);
  setup_->plan = plan;
  reporter_->redact(setup_->secrets);
  report_.applied = true;
  finish();
}

void Reloader::look() {
  if (busy_ && handed_in_ && !engine_->reloading()) refuse("the container stops");
}

void Reloader::refuse(const std::string& error) {
  report_.error = error;
  report_.changes.clear();
  finish();
}

void Reloader::finish() {
  reader_.end();
  next_.reset();
  busy_ = false;
  handed_in_ = false;
  if (!report_.error.empty()) {
    reporter_->say(logging::Level::kError, "config.refused", std::string(what_) + " refused, nothing was changed");
    std::istringstream lines(report_.error);
    for (std::string line; std::getline(lines, line);) {
      reporter_->say(logging::Level::kError, "config.refused", line);
    }
  } else if (dry_run_) {
    reporter_->say(logging::Level::kInfo, "config.compared", "a reload would change: " + to_text(report_.changes));
  } else {
    reporter_->say(logging::Level::kInfo, "config.applied", std::string(what_) + ": " + to_text(report_.changes));
  }
  reports_.emplace_back(current_, std::move(report_));
  while (reports_.size() > kReportsKept) reports_.pop_front();
  changed_();
}

}  // namespace slipway::supervisor
