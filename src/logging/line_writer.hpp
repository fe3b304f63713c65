#pragma once
// Gathers a batch of lines, each under its prefix, into few system calls: short lines are copied beside their prefix,
// long ones are passed on from where they are. Private to logging.

#include <cstddef>
#include <memory>
#include <string_view>
#include <sys/uio.h>

#include "logging/output.hpp"

namespace slipway::logging {

class LineWriter {
 public:
  explicit LineWriter(Output& output) : output_(output) {}

  /// The bytes may change after the call.
  void copy(std::string_view bytes);
  /// Long texts must stay until flush().
  void refer(std::string_view bytes);
  void flush();
  /// Forgets what was not flushed: after a failure the texts referred to may be gone.
  void discard() { pieces_ = used_ = 0; }
  [[nodiscard]] bool at_line_start() const { return pieces_ == 0 ? output_.at_line_start() : last_ == '\n'; }

 private:
  static constexpr std::size_t kScratch = 64 * 1024;
  static constexpr std::size_t kPieces = 128;
  static constexpr std::size_t kShort = 768;  ///< below, copying is cheaper than two more pieces

  void add(const char* data, std::size_t size);

  Output& output_;
  std::unique_ptr<char[]> scratch_;
  std::size_t used_ = 0;
  std::size_t pieces_ = 0;
  char last_ = '\n';
  iovec list_[kPieces];
};

}  // namespace slipway::logging
