#pragma once
// What units say of themselves (sd_notify(3)), as the engine's events. Strangers, nonsense and what no container needs
// are refused, and said so, but not as often as they come.

#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "host/notify.hpp"
#include "logging/redaction.hpp"
#include "supervisor/event_sink.hpp"
#include "supervisor/marker_files.hpp"
#include "supervisor/processes.hpp"
#include "supervisor/reporter.hpp"
#include "supervisor/setup.hpp"

namespace slipway::supervisor {

class Notifications {
 public:
  /// All references must outlive this.
  Notifications(const Processes& processes, MarkerFiles& markers, Reporter& reporter, const Setup& setup,
                EventSink sink);

  void handle(const host::Notification& notification);

 private:
  void take(engine::UnitId unit, const host::Notification& notification);
  void refuse(const std::string& what);
  void refuse_once(engine::UnitId unit, const char* name, const char* why);

  const Processes* processes_;
  MarkerFiles* markers_;
  Reporter* reporter_;
  const Setup* setup_;
  EventSink sink_;
  logging::Redaction redaction_;
  std::set<std::pair<engine::UnitId, std::string_view>> refused_;  ///< said once per unit
  std::chrono::steady_clock::time_point window_{};
  unsigned said_ = 0;  ///< in this window
  unsigned left_out_ = 0;
};

}  // namespace slipway::supervisor
