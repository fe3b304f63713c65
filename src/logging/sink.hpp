#pragma once
// Where finished lines go: standard output or a log file. Neither ever blocks its caller for a reader.

#include <cstddef>
#include <sys/uio.h>

namespace slipway::logging {

class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes all pieces, which are not needed after the call.
  virtual void write(const iovec* pieces, std::size_t count) = 0;
  /// The last byte accepted was a newline, or nothing was written yet.
  [[nodiscard]] virtual bool at_line_start() const = 0;

 protected:
  Sink() = default;
  Sink(const Sink&) = default;
  Sink& operator=(const Sink&) = default;
};

}  // namespace slipway::logging
