#include "config/loading/checks.hpp"
#include "config/notation.hpp"

namespace slipway::config {
namespace {

/// More often than this, PID 1 would do little else.
constexpr Duration kShortestInterval = std::chrono::milliseconds(100);

class ScheduleChecks {
 public:
  ScheduleChecks(const Configuration& configuration, const Places& places, Problems& problems)
      : configuration_(configuration), places_(places), problems_(problems) {}

  void run() {
    for (const auto& [name, worker] : configuration_.workers) {
      path_ = "workers." + name + ".";
      const bool scheduled = worker.type == WorkerType::kScheduled;
      if (scheduled) job(worker);
      if (scheduled && worker.schedule) schedule(*worker.schedule);
      if (!scheduled && worker.schedule)
        report("type", "type: only a scheduled job has a schedule: use 'scheduled', or remove 'schedule'");
    }
  }

 private:
  [[nodiscard]] bool given(const std::string& key) const { return places_.keys.contains(path_ + key); }
  void report(const std::string& key, const std::string& message) {
    problems_.add(places_.value(path_ + key), message);
  }

  void job(const Worker& worker) {
    if (!given("schedule")) report("type", "type: a scheduled job needs to know when: set 'schedule'");
    if (worker.restart == Restart::kAlways || worker.restart == Restart::kUnlessStopped)
      report("restart", "restart: a scheduled job runs again when it is due: use on-failure or no");
    if (worker.replicas != 1)
      report("replicas", "replicas: a scheduled job has none: `overlap: allow` lets several runs live at a time");
    if (worker.ready) report("ready", "ready: a scheduled job is never ready, and nothing waits for it: remove it");
    if (worker.healthcheck)
      report("healthcheck", "healthcheck: a scheduled job has none: limit its runs with start_timeout");
  }

  void schedule(const Schedule& schedule) {
    if (schedule.every && given("schedule.timezone"))
      report("schedule.timezone", "timezone: `every` counts from the boot and knows no time of day: remove it");
    if (schedule.every && *schedule.every < kShortestInterval)
      report("schedule.every", "every: expected at least 100ms, got \"" + format_duration(*schedule.every) + '"');
    else if (schedule.every && schedule.jitter >= *schedule.every)
      report("schedule.jitter", "jitter: " + format_duration(schedule.jitter) + " reaches the next run, due after " +
                                    format_duration(*schedule.every) + ": use less");
    if (schedule.overlap != Overlap::kAllow && given("schedule.max_runs"))
      report("schedule.max_runs", "max_runs: only `overlap: allow` has several runs at a time: set it, or remove this");
  }

  const Configuration& configuration_;
  const Places& places_;
  Problems& problems_;
  std::string path_;
};

}  // namespace

void check_schedules(const Configuration& configuration, const Places& places, Problems& problems) {
  ScheduleChecks(configuration, places, problems).run();
}

}  // namespace slipway::config
