#include "supervisor/notifications.hpp"

namespace slipway::supervisor {
namespace {

using engine::NoticeKind;

/// Anybody can send; nobody may fill the log with it.
constexpr std::chrono::seconds kWindow{30};
constexpr unsigned kSaidPerWindow = 5;
constexpr std::size_t kLongestStatus = 512;

/// A first line of bounded length, cut between characters.
std::string shortened(std::string_view status) {
  if (status.size() <= kLongestStatus) return std::string(status);
  std::size_t end = kLongestStatus;
  while (end > 0 && (static_cast<unsigned char>(status[end]) & 0xC0U) == 0x80U) --end;
  return std::string(status.substr(0, end));
}

}  // namespace

Notifications::Notifications(const Processes& processes, MarkerFiles& markers, Reporter& reporter, const Setup& setup,
                             EventSink sink)
    : processes_(&processes),
      markers_(&markers),
      reporter_(&reporter),
      setup_(&setup),
      sink_(std::move(sink)),
      redaction_(setup.secrets) {}

void Notifications::handle(const host::Notification& notification) {
  std::string sender = "a notification of process " + std::to_string(notification.pid);
  if (notification.pid <= 0) sender = "a notification from outside of the container's processes";
  const auto unit = processes_->sender(notification);
  if (!unit || !may_notify(setup_->plan.units[engine::index(*unit)])) {
    return refuse(sender + " is refused: its sender belongs to no unit that notifies");
  }
  if (notification.problem != nullptr) {
    const std::string& name = setup_->plan.units[engine::index(*unit)].name;
    return refuse(sender + " (" + name + ") is refused: " + notification.problem);
  }
  take(*unit, notification);
}

void Notifications::take(engine::UnitId unit, const host::Notification& notification) {
  if (setup_->plan.units[engine::index(unit)].built_in) {
    for (const auto& [name, value] : notification.extras) {
      if (name == "X_SLIPWAY_SCHEMA_VERSION") markers_->set_schema_version(value);
    }
  }
  if (notification.main_pid) {
    refuse_once(unit, "MAINPID", "the process that Slipway started is the unit: let it stay in the foreground");
  }
  if (notification.stores_descriptors) {
    refuse_once(unit, "FDSTORE", "Slipway keeps no descriptors for a restart; they are closed");
  }
  const auto say = [&](NoticeKind kind, engine::Duration duration = {}, std::string text = {}) {
    sink_(engine::event::Notice{unit, kind, duration, std::move(text)});
  };
  if (notification.status) say(NoticeKind::kStatus, {}, redaction_.apply(shortened(*notification.status)));
  if (notification.extend_timeout) say(NoticeKind::kExtendTimeout, *notification.extend_timeout);
  if (notification.reloading) say(NoticeKind::kReloading);
  if (notification.ready) say(NoticeKind::kReady);
  if (notification.watchdog_interval) say(NoticeKind::kWatchdogInterval, *notification.watchdog_interval);
  if (notification.alive) say(NoticeKind::kAlive);
  if (notification.trigger) say(NoticeKind::kTrigger);
  if (notification.stopping) say(NoticeKind::kStopping);
}

void Notifications::refuse(const std::string& what) {
  const auto now = std::chrono::steady_clock::now();
  if (now - window_ >= kWindow) {
    window_ = now;
    said_ = 0;
  }
  if (++said_ > kSaidPerWindow) {
    ++left_out_;
    return;
  }
  const std::string more = left_out_ > 0 ? " (and " + std::to_string(left_out_) + " before it)" : "";
  left_out_ = 0;
  reporter_->say(logging::Level::kWarning, "notify.refused", what + more);
}

void Notifications::refuse_once(engine::UnitId unit, const char* name, const char* why) {
  if (!refused_.insert({unit, name}).second) return;
  const std::string& who = setup_->plan.units[engine::index(unit)].name;
  reporter_->say(logging::Level::kWarning, "notify.refused", who + ": " + name + " is refused: " + why);
}

}  // namespace slipway::supervisor
