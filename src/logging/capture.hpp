#pragma once
// Reads what workers write and passes it on, line by line, under a prefix: `2026-11-21T08:40:00.123Z web[1] | text`, or
// in JSON {time, level, unit, event: "output", stream, msg}. The worker's bytes are kept; only the prefix is ours. One
// read buffer serves all pipes. While the output is full nothing is read, so a worker blocks itself and nobody else. A
// line longer than 64 KiB passes in pieces. An exit does not wait for end-of-file (a grandchild may hold the pipe):
// what is there is read, and the pipe stays open until its writers are gone or the unit starts again.

#include <memory>

#include "config/configuration.hpp"
#include "logging/output.hpp"
#include "logging/ring.hpp"

namespace slipway::logging {

class Capture {
 public:
  /// Both must outlive the capture.
  Capture(boost::asio::io_context& context, Output& output, Ring& ring, const config::Logging& settings);
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// What a child gets as its standard output and error; to be closed after the launch. In text form both are the same
  /// pipe, so that the order of what is written to them is kept; -1 when the pipes could not be made.
  struct ChildEnds {
    int out = -1;
    int error = -1;
    [[nodiscard]] bool ok() const { return out >= 0 && error >= 0; }
  };
  /// Makes the pipes for one start of the unit. Pipes of its earlier starts that a leftover process still holds are
  /// read out and closed. errno tells why, when not ok() (EMFILE, ENFILE).
  [[nodiscard]] ChildEnds open(Source unit);
  static void close(const ChildEnds& ends);

  /// The unit's process ended: reads what is there now and ends its last, unfinished line. Call it before the exit is
  /// logged, so that last words come first.
  void drain(Source unit);
  /// Closes the unit's pipes; for units that will not start again and at the end.
  void close(Source unit);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::logging
