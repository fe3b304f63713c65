#pragma once
// Reads what workers write and passes it on, line by line: under a prefix, `2026-11-21T08:40:00.123Z web[1] | text`, in
// JSON {time, level, unit, event: "output", stream, msg}, or as it is; to standard output or to a file. The worker's
// bytes are kept; only the prefix is ours. One read buffer serves all pipes. While the output is full, nothing is read
// from those who write there, so a worker blocks itself and nobody else; one that asked for it has its lines dropped
// and counted instead. A line longer than 64 KiB passes in pieces, in text without a seam unless another line came
// between, in JSON as objects with "partial": true. An exit does not wait for end-of-file (a grandchild may hold the
// pipe): what is there is read, and the pipe stays open until its writers are gone or the unit starts again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "config/configuration.hpp"
#include "logging/output.hpp"
#include "logging/ring.hpp"

namespace slipway::logging {

class LogFile;

class Capture {
 public:
  /// Both must outlive the capture.
  Capture(boost::asio::io_context& context, Output& output, Ring& ring, const config::Logging& settings);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Where a unit's lines go and how. Without a route: to the output, in the format of the settings.
  struct Route {
    std::optional<config::WorkerLogFormat> format;  ///< unset: as the settings
    config::OnFull on_full = config::OnFull::kBlock;
    LogFile* file = nullptr;  ///< must outlive the capture; null: the output
  };
  /// For the starts to come.
  void route(Source unit, const Route& route);

  /// Called when the output has drained, for each unit whose lines were dropped meanwhile.
  using LostLines = std::function<void(Source unit, std::uint64_t lines, std::uint64_t bytes)>;
  void on_lost(LostLines callback);

  /// What a child gets as its standard output and error; to be closed after the launch. Except in JSON both are the
  /// same pipe, so that the order of what is written to them is kept; -1 when the pipes could not be made.
  struct ChildEnds {
    int out = -1;
    int error = -1;
    [[nodiscard]] bool ok() const { return out >= 0 && error >= 0; }
  };
  /// Makes the pipes for one start of the unit. Pipes of its earlier starts that a leftover process still holds are
  /// read out and closed. errno tells why, when not ok() (EMFILE, ENFILE).
  [[nodiscard]] ChildEnds open(Source unit);
  /// The same for another process of a unit that runs: nothing of the unit's is closed.
  [[nodiscard]] ChildEnds open_beside(Source unit);
  static void close(const ChildEnds& ends);

  /// The unit's process ended: reads what is there now and ends its last, unfinished line. Call it before the exit is
  /// logged, so that last words come first.
  void drain(Source unit);
  /// Sees each complete line of the unit, without its newline, as its running process writes it; of a line longer than
  /// 64 KiB the first 64 KiB. False: it has seen enough. Called in the middle of reading, so it posts what is to
  /// follow: it must not use this capture, the output or the log.
  using LineObserver = std::function<bool(std::string_view line)>;
  /// Replaces the unit's observer; an empty one ends it. While the output is full no line is seen.
  void observe(Source unit, LineObserver observer);

  /// Closes the unit's pipes; for units that will not start again and at the end.
  void close(Source unit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::logging
