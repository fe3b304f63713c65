#pragma once
// The seam between the control socket and the supervisor. The supervisor answers from what it knows, at once and
// without blocking; everything that takes time (a start that must become ready, a wait) is kept by the server, which
// looks again whenever it is told that something changed (Server::notify_changed).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/snapshot.hpp"

namespace slipway::control {

enum class Verb { kStart, kStop, kRestart, kSignal, kReload };

[[nodiscard]] const char* to_string(Verb verb);

/// One captured line, without its line end. The bytes are the worker's own.
struct LogLine {
  std::size_t unit = 0;                        ///< index of the unit; kSlipway for PID 1's own lines
  std::chrono::system_clock::time_point time;  ///< when it was captured
  std::string text;
};

/// Kept lines by their numbers: from `from` on, below `to`.
struct LogRange {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  [[nodiscard]] bool empty() const { return from >= to; }
};

/// LogLine::unit of Slipway's own messages.
inline constexpr std::size_t kSlipway = static_cast<std::size_t>(-1);

/// What another configuration means for one worker, or for a section of it.
struct PlanChange {
  std::string name;              ///< the worker's, or the section's
  std::string action;            ///< start, stop, restart, scale; apply for a section
  std::vector<std::string> why;  ///< the keys that differ, or in words what does
};

/// How a reload or a scaling ended.
struct ReplanReport {
  std::string error;  ///< why it was refused, line by line; nothing was changed then
  bool applied = false;
  std::vector<PlanChange> changes;
  std::vector<std::size_t> started;  ///< the units that start because of it
};

/// Called from the server's io_context only. Units are named by their index in the plan, which a unit keeps for as long
/// as it is part of it; a reload may free indexes and add some. Nothing here blocks or throws.
class Handler {
 public:
  virtual ~Handler() = default;

  [[nodiscard]] virtual ContainerStatus container() const = 0;
  [[nodiscard]] virtual std::size_t unit_count() const = 0;
  /// The indexes of the units there are, in the order in which people want to see them.
  [[nodiscard]] virtual std::vector<std::size_t> listing() const = 0;
  /// `index` is below unit_count().
  [[nodiscard]] virtual UnitStatus unit(std::size_t index) const = 0;

  /// Takes the request or says why not. Takes effect before it returns: unit() shows the new state. Starting what
  /// runs and stopping what is stopped are accepted and do nothing. `signal` is for Verb::kSignal alone.
  [[nodiscard]] virtual std::optional<std::string> act(Verb verb, std::size_t unit, int signal) = 0;

  /// Where the last `lines` lines of these units are, of everything when `units` is empty. What has been kept may be
  /// less than what was asked for.
  [[nodiscard]] virtual LogRange last_logs(const std::vector<std::size_t>& units, std::size_t lines) const = 0;
  /// The first of them, oldest first, until they hold about `bytes`; the range shrinks to what is left.
  [[nodiscard]] virtual std::vector<LogLine> read_logs(const std::vector<std::size_t>& units, LogRange& range,
                                                       std::size_t bytes) const = 0;
  /// False: the unit writes to the container's own output, and nothing of it is kept.
  [[nodiscard]] virtual bool captured(std::size_t /*unit*/) const { return true; }

  /// Reads the configuration again and applies the difference, or only says what it would be. Takes its time: returns a
  /// ticket for replan_report().
  [[nodiscard]] virtual std::uint64_t reload(bool dry_run) = 0;
  /// Runs `replicas` of this worker from now on, until the next reload. A ticket as for reload().
  [[nodiscard]] virtual std::uint64_t scale(const std::string& worker, unsigned replicas) = 0;
  /// Once it has ended; an error for a ticket that is forgotten.
  [[nodiscard]] virtual std::optional<ReplanReport> replan_report(std::uint64_t ticket) const = 0;
};

}  // namespace slipway::control
