#pragma once
// Cuts what was read from a worker's pipe into lines and brings each to where the worker's lines go, in its format, to
// the ring and to an observer. Knows nothing of pipes and never waits. Private to logging.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "logging/capture.hpp"
#include "logging/clock.hpp"
#include "logging/line_writer.hpp"
#include "logging/output.hpp"
#include "logging/ring.hpp"

namespace slipway::logging {

/// What is known of the text of one pipe between two reads.
struct LineState {
  Source unit{};
  Stream kind{};
  bool waits = true;          ///< nothing is read while the output is full; otherwise its lines are dropped then
  bool ended = false;         ///< the process is gone: an unfinished line will not be finished by it
  bool in_long_line = false;  ///< its first piece has passed
  bool cut = false;           ///< the rest of this line is dropped
  std::string partial;        ///< of a line whose end has not come yet; at most kLongestLine
};

class LineRouter {
 public:
  using Time = std::chrono::system_clock::time_point;

  static constexpr std::size_t kLongestLine = 64 * 1024;  ///< longer ones pass in pieces

  LineRouter(Output& output, Ring& ring, const config::Logging& settings);

  void route(Source unit, const Capture::Route& route);
  void observe(Source unit, Capture::LineObserver observer);
  [[nodiscard]] const Capture::Route& route_of(Source unit) { return of(unit).route; }
  [[nodiscard]] config::WorkerLogFormat format_of(Source unit) { return of(unit).format; }
  /// Lines of this unit must wait for nobody: they go to a file, or are dropped while the output is full.
  [[nodiscard]] bool independent(Source unit);

  void take(LineState& state, std::string_view data, Time now);
  /// Ends the line that will not be finished.
  void end_line(LineState& state, Time now);
  /// The pipe is gone.
  void forget(const LineState& state);
  /// After an exception: what was not written is lost.
  void discard() { writer_.discard(); }
  /// Calls `lost` for each unit that lines were dropped of.
  void report_lost(const Capture::LostLines& lost);

 private:
  struct Destination {
    Sink* sink = nullptr;
    LogFile* file = nullptr;
    const LineState* open_line = nullptr;  ///< who began the line that the sink has not ended
  };
  struct Unit {
    Capture::Route route;
    config::WorkerLogFormat format{};
    std::string label;  ///< what follows the time in a prefix
    std::size_t destination = 0;
    Capture::LineObserver observer;
    std::uint64_t lost_lines = 0;
    std::uint64_t lost_bytes = 0;
  };

  Unit& of(Source unit);
  void label(Unit& unit, Source source) const;
  void begin(Unit& unit, Time now);
  void split(Unit& unit, LineState& state, std::string_view data);
  void emit(Unit& unit, LineState& state, std::string_view first, std::string_view rest, bool whole);
  void write(Unit& unit, const LineState& state, std::string_view first, std::string_view rest, bool begins,
             bool whole);
  void write_json(const LineState& state, std::string_view first, std::string_view rest, bool whole);
  void remember(Unit& unit, const LineState& state, std::string_view first, std::string_view rest, bool begins,
                bool whole);
  void rotate_if_due(const Destination& to, std::size_t more);

  Output& output_;
  Ring& ring_;
  LineWriter writer_;
  config::WorkerLogFormat format_;
  bool timestamps_;
  Timestamp timestamp_;
  Time now_;
  std::vector<Unit> units_;                ///< by Source
  std::vector<Destination> destinations_;  ///< the output, then files
  std::string prefix_;
  std::string json_;
  /// Where in a batch the lines begin that the ring will not have forgotten at its end.
  const char* remember_from_ = nullptr;
};

}  // namespace slipway::logging
