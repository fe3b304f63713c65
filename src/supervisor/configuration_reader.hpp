#pragma once
// Reads the configuration's files in a child process, because a file system may hang and PID 1 must not: what every
// file gave comes back through a pipe (`slipway read-configuration`). The same child then writes environment_output and
// the templates, if it is told to. One read at a time; the child has a bounded time and is killed beyond it.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "config/transcript.hpp"
#include "host/child_table.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class ConfigurationReader {
 public:
  using ReadHandler = std::function<void(Result<config::FileTranscript>)>;
  using WriteHandler = std::function<void(Result<void>)>;

  /// All references must outlive this.
  ConfigurationReader(boost::asio::io_context& context, host::ChildTable& children, const Setup& setup);
  ~ConfigurationReader();

  /// Calls `done` once, later: what the files gave, or every problem of the configuration, one a line.
  void read(ReadHandler done);
  /// After a successful read: writes the files that this configuration says are to be written. Calls `done` once.
  void write(WriteHandler done);
  /// The child is not needed any more. No handler is called after this.
  void end();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::supervisor
