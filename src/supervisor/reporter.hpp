#pragma once
// Says what happens: the engine's reports and the supervisor's own remarks, to the log and to the ring that
// `slipway logs` reads.

#include <string_view>
#include <vector>

#include "engine/messages.hpp"
#include "logging/log.hpp"
#include "logging/redaction.hpp"
#include "logging/ring.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Reporter {
 public:
  /// All three must outlive the reporter.
  Reporter(logging::Log& log, logging::Ring& ring, const Setup& setup);

  /// Hides these instead of the earlier ones.
  void redact(const std::vector<std::string>& secrets);

  void report(const engine::command::Report& report);
  /// A remark about the supervisor itself; `event` is a stable name.
  void say(logging::Level level, std::string_view event, std::string_view message);

 private:
  void write(logging::Level level, std::string_view unit, std::string_view event, std::string_view message,
             const std::vector<logging::Field>& fields);

  logging::Log* log_;
  logging::Ring* ring_;
  const engine::Plan* plan_;
  logging::Redaction redaction_;
  logging::Level least_;
};

}  // namespace slipway::supervisor
