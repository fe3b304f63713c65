#pragma once
// Judges what an engine did from the plan, the events it was given and the commands it answered with. It never asks
// the engine and shares no code with it: what holds, what is due and what the exit code must be is computed here a
// second time, in another way (the whole plan again after every step, instead of counters).

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace slipway::simulation {

/// The numbers of DESIGN's invariants. The eighth, that nothing blocks, belongs to the host. The ninth: a
/// reload touches only what differs, in the order of the dependencies, and ends in the plan that was asked for.
struct Violation {
  int invariant = 0;
  std::string what;
};

class Oracle {
 public:
  /// `lateness`: by how much a Tick may come after its deadline.
  Oracle(const engine::Plan& plan, config::Duration lateness);

  /// One step. Returns the first violation ever found; the oracle judges nothing after it.
  const std::optional<Violation>& step(const engine::Event& event, const engine::Commands& commands,
                                       engine::Instant now);
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  using Instant = engine::Instant;
  enum class Rest { kNone, kSucceeded, kFailed, kSkipped, kStopped };
  enum class Wish { kNone, kStop, kRestart };

  struct Unit {
    bool pending = false;
    bool alive = false;
    bool group = false;
    bool written_off = false;
    bool leaving = false;  ///< a reload changes it or takes it away
    Rest rest = Rest::kNone;
    bool held = false;

    bool asked = false;  ///< told to end (or its leftovers were)
    bool asked_before_stop = false;
    bool natural = false;  ///< its main process ended without being asked
    Wish wish = Wish::kNone;
    bool timed_out = false;
    std::size_t next_step = 0;
    bool killed = false;
    Instant next_due{};
    Instant last_step{};

    Instant spawned{};
    Instant extended{};         ///< EXTEND_TIMEOUT_USEC: start_timeout ends no earlier
    config::Duration paused{};  ///< by how much later start_timeout ends
    config::Duration watchdog{};
    std::optional<Instant> watchdog_due;
    bool triggered = false;
    bool quits = false;      ///< STOPPING=1: ends by itself, in the time of its stop sequence
    bool may_abort = false;  ///< the reason of its stop is the watchdog
    bool may_ask = false;    ///< the reason is another one
    bool gate_passed = false;
    bool unhealthy = false;
    bool period_over = false;
    unsigned failures = 0;
    std::optional<engine::ProbeKind> probe;
    Instant probe_due{};

    std::optional<engine::ExitStatus> last;
    std::deque<Instant> starts;
    unsigned attempts = 0;
    bool delayed = false;  ///< a delay applies before the next start
    Instant earliest{};
    Instant latest{};
    bool not_startable = false;  ///< SpawnFailed, and not retryable
    bool marker = false;         ///< its success may be marked

    std::optional<engine::HookKind> hook;
    int hook_stage = 0;  ///< 0: it runs, 1: it got TERM, 2: it got KILL
    Instant hook_due{};
    bool hook_left = false;  ///< KILL did not end one; it may still live
    bool prepared = false;   ///< pre_start succeeded: Spawn follows in the same step
    bool unprepared = false;
    bool ran = false;
    bool spawn_failed = false;
    Instant ended{};
  };

  // --- oracle.cpp: what is known
  void observe(const engine::Event& event);
  void observe_event(const engine::event::Boot& event);
  void observe_event(const engine::event::Spawned& event);
  void observe_event(const engine::event::SpawnFailed& event);
  void observe_event(const engine::event::Exited& event);
  void observe_event(const engine::event::GroupGone& event);
  void observe_event(const engine::event::HookFinished& event);
  void observe_event(const engine::event::Notified& event);
  void observe_event(const engine::event::Notice& event);
  void observe_event(const engine::event::Paused& event);
  void observe_event(const engine::event::ProbeFinished& event);
  void observe_event(const engine::event::StopRequested& event);
  void observe_event(const engine::event::StartUnit& event);
  void observe_event(const engine::event::StopUnit& event);
  void observe_event(const engine::event::RestartUnit& event);
  void observe_event(const engine::event::SignalReceived&) {}
  void observe_event(const engine::event::SignalUnit&) {}
  void observe_event(const engine::event::Tick& event);
  void observe_event(const engine::event::WallClock&) {}
  void observe_event(const engine::event::Reload& event);
  void observe_stopping(Unit& unit, const engine::UnitSpec& spec);
  void observe_extension(Unit& unit, config::Duration by);
  void passed_gate(Unit& unit);
  void probe_answered(Unit& unit, const engine::UnitSpec& spec, bool ok);
  void hook_over(std::size_t index, engine::HookKind kind, bool good);
  void gone(std::size_t index);
  void ended(std::size_t index);
  void start_was_not_to_be(std::size_t index);
  void expect_restart(std::size_t index, bool counts_run);
  void forget_limits(Unit& unit);

  // --- succession.cpp: another plan
  [[nodiscard]] static bool same(const engine::Plan& left_plan, const engine::UnitSpec& left,
                                 const engine::Plan& right_plan, const engine::UnitSpec& right);
  [[nodiscard]] std::optional<std::size_t> successor_of(const engine::UnitSpec& unit) const;
  [[nodiscard]] bool its_turn_to_leave(std::size_t index) const;
  void judge_leaving(std::size_t index);
  void judge_succession(const engine::Plan& plan);
  void succeed(std::size_t index, bool existed);
  void reconsider_skipped();
  void find_dependents();

  // --- judge.cpp: every command
  void judge(const engine::Command& command);
  void judge_command(const engine::command::Spawn& spawn);
  void judge_start(std::size_t index);
  void judge_command(const engine::command::Signal& signal);
  void judge_command(const engine::command::RunHook& hook);
  void judge_command(const engine::command::SignalHook& signal);
  void judge_command(const engine::command::Probe& probe);
  void judge_command(const engine::command::CancelProbes& cancel);
  void judge_command(const engine::command::WriteMarker& written);
  void judge_command(const engine::command::RemoveMarker& removed);
  void judge_command(const engine::command::Report& report);
  void judge_command(const engine::command::Refuse&) {}
  void judge_command(const engine::command::Finish& finish);
  void judge_command(const engine::command::Replan& replan);
  void judge_stop_step(std::size_t index, const engine::command::Signal& signal);
  void judge_order(std::size_t index);
  void judge_failure(std::size_t index);
  void judge_skip(std::size_t index);
  [[nodiscard]] bool passes_on(const engine::command::Signal& signal) const;
  void begin_asking(std::size_t index);
  void container_stops();

  // --- balance.cpp: after every step
  void judge_balance();
  void judge_unit(std::size_t index);
  void judge_hook(std::size_t index);
  void judge_stop_of(std::size_t index);
  void judge_waiting(std::size_t index);
  void judge_markers();
  void judge_end();

  // --- facts
  [[nodiscard]] bool holds(const engine::UnitDependency& edge) const;
  [[nodiscard]] bool may_start(std::size_t index) const;
  [[nodiscard]] bool up(std::size_t index) const;
  [[nodiscard]] bool at_rest(std::size_t index) const;
  [[nodiscard]] bool final(std::size_t index) const;
  [[nodiscard]] bool dependents_at_rest(std::size_t index) const;
  [[nodiscard]] bool success(const engine::UnitSpec& spec, const engine::ExitStatus& status) const;
  [[nodiscard]] int code_of(std::size_t index) const;
  [[nodiscard]] std::optional<engine::ExitStatus> last_of(std::size_t index) const;
  [[nodiscard]] bool overdue() const;
  [[nodiscard]] bool runs(std::size_t index, engine::HookKind kind) const;
  void violate(int invariant, const std::string& what);
  [[nodiscard]] bool boundary(engine::UnitId unit) const { return engine::index(unit) < units_.size(); }

  engine::Plan plan_;
  std::optional<engine::Plan> next_;  ///< accepted, and not in force yet
  config::Duration lateness_;
  std::vector<Unit> units_;
  std::vector<std::vector<std::size_t>> dependents_;  ///< transitive
  Instant now_{};
  const engine::Event* event_ = nullptr;
  const engine::Commands* commands_ = nullptr;
  bool refused_ = false;
  bool booted_ = false;
  bool repeated_stop_ = false;
  bool stopping_ = false;
  bool requested_ = false;  ///< the stop was asked for, and nothing else had begun one
  bool finished_ = false;
  Instant stopped_at_{};
  std::optional<std::size_t> culprit_;  ///< the unit that brought the container down
  int expected_code_ = 0;
  bool own_code_of_source_ = false;  ///< a requested stop, or nothing left: exit_code_from or `run -- CMD` decides
  int stop_signal_ = 0;
  bool marked_[4] = {false, false, false, false};
  int removed_at_boot_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace slipway::simulation
