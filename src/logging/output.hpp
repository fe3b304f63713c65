#pragma once
// The one way to standard output and standard error. Never blocks, however stuck the reader is, and never sets
// O_NONBLOCK on a description that others share: a pipe or a terminal is opened again through /proc/self/fd, a socket
// is written with MSG_DONTWAIT, anything else that can block is polled first. What cannot be written at once waits in a
// bounded buffer; a full buffer is a signal to stop reading from workers.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <sys/uio.h>

#include "logging/sink.hpp"

namespace boost::asio {
class io_context;
}

namespace slipway::logging {

class Output final : public Sink {
 public:
  static constexpr std::size_t kCapacity = 1 << 20;  ///< bytes

  /// Writes to `fd`, which stays open and is not closed by us.
  Output(boost::asio::io_context& context, int fd);
  ~Output() override;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  /// Writes all pieces or keeps what the reader does not take. Always accepted: the caller asks full() before it reads
  /// more, so the buffer exceeds kCapacity by at most one batch. The pieces are not needed after the call.
  void write(const iovec* pieces, std::size_t count) override;

  /// One whole line of Slipway's own, with its newline; a line somebody left unfinished is ended first. Dropped and
  /// counted when the buffer is full.
  void write_line(std::string_view line);

  /// True from the moment the buffer holds kCapacity until it is half empty again.
  [[nodiscard]] bool full() const;
  /// Called from the event loop each time a full buffer has drained. Several may subscribe, for ever.
  void on_drain(std::function<void()> callback);
  /// Called when a drained output had dropped lines: with their number, once.
  void on_dropped(std::function<void(std::uint64_t lines)> callback);

  /// The last byte accepted was a newline, or nothing was written yet.
  [[nodiscard]] bool at_line_start() const override;
  [[nodiscard]] std::size_t buffered() const;
  /// The reader is gone for good (EPIPE): everything is discarded and the output is never full.
  [[nodiscard]] bool broken() const;
  /// The descriptor is a terminal.
  [[nodiscard]] bool terminal() const;
  /// Tries to empty the buffer for at most `milliseconds`; for the last lines before the exit. Returns what is left.
  std::size_t flush(int milliseconds);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::logging
