#pragma once
// Gathers a batch of lines, each under its prefix, into few system calls: short lines are copied beside their prefix,
// long ones are passed on from where they are. Private to logging.

#include <cstddef>
#include <memory>
#include <string_view>
#include <sys/uio.h>

#include "logging/sink.hpp"

namespace slipway::logging {

class LineWriter {
 public:
  explicit LineWriter(Sink& sink) : sink_(&sink) {}

  /// Writes there from now on; everything before is flushed.
  void to(Sink& sink) {
    if (pieces_ > 0) flush();
    sink_ = &sink;
  }
  /// The bytes may change after the call.
  void copy(std::string_view bytes);
  /// Long texts must stay until flush().
  void refer(std::string_view bytes);
  /// The same as copy(prefix) and refer(text).
  void line(std::string_view prefix, std::string_view text) {
    const std::size_t size = prefix.size() + text.size();
    if (size >= kShort || size > kScratch - used_ || !scratch_) {
      copy(prefix);
      return refer(text);
    }
    char* const at = scratch_.get() + used_;
    __builtin_memcpy(at, prefix.data(), prefix.size());
    __builtin_memcpy(at + prefix.size(), text.data(), text.size());
    used_ += size;
    if (size > 0) add(at, size);
  }
  void flush();
  /// Forgets what was not flushed: after a failure the texts referred to may be gone.
  void discard() { pieces_ = used_ = size_ = 0; }
  [[nodiscard]] bool at_line_start() const { return pieces_ == 0 ? sink_->at_line_start() : last_ == '\n'; }
  /// Bytes that were not flushed yet.
  [[nodiscard]] std::size_t pending() const { return size_; }

 private:
  static constexpr std::size_t kScratch = 128 * 1024;
  static constexpr std::size_t kPieces = 256;
  static constexpr std::size_t kShort = 768;  ///< below, copying is cheaper than two more pieces

  void add(const char* data, std::size_t size) {
    last_ = data[size - 1];
    size_ += size;
    if (pieces_ > 0) {
      iovec& previous = list_[pieces_ - 1];
      if (static_cast<char*>(previous.iov_base) + previous.iov_len == data) {
        previous.iov_len += size;
        return;
      }
    }
    add_piece(data, size);
  }
  void add_piece(const char* data, std::size_t size);

  Sink* sink_;
  std::unique_ptr<char[]> scratch_;
  std::size_t used_ = 0;
  std::size_t pieces_ = 0;
  std::size_t size_ = 0;
  char last_ = '\n';
  iovec list_[kPieces];
};

}  // namespace slipway::logging
