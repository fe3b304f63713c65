#include "web/routes.hpp"

#include <algorithm>

#include "control/protocol.hpp"
#include "web/metrics.hpp"

namespace slipway::web {
namespace {

/// PID 1 answers at all: restarting the container would not help what merely is not ready.
Response livez(const control::Snapshot& /*snapshot*/) { return {.body = "ok\n"}; }

Response readyz(const control::Snapshot& snapshot) {
  if (snapshot.container.ready) return {.body = "ready\n"};
  return {.status = 503, .body = "not ready: " + control::why_not_ready(snapshot) + "\n"};
}

Response status(const control::Snapshot& snapshot) {
  return {.content_type = "application/json", .body = control::to_line(control::to_json(snapshot))};
}

Response metrics(const control::Snapshot& snapshot) {
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_text(snapshot)};
}

struct Route {
  std::string_view path;
  Response (*answer)(const control::Snapshot&);
};
constexpr Route kRoutes[] = {{"/livez", livez}, {"/readyz", readyz}, {"/status", status}, {"/metrics", metrics}};

const Route* find_route(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const Route* found =
      std::find_if(std::begin(kRoutes), std::end(kRoutes), [&](const Route& route) { return route.path == path; });
  return found == std::end(kRoutes) ? nullptr : found;
}

bool is_read(std::string_view method) { return method == "GET" || method == "HEAD"; }

}  // namespace

bool needs_snapshot(std::string_view method, std::string_view target) {
  return is_read(method) && find_route(target) != nullptr;
}

Response respond(std::string_view method, std::string_view target, const Result<control::Snapshot>& snapshot) {
  if (!is_read(method)) return {.status = 405, .body = "only GET and HEAD\n", .allow = true};
  const Route* route = find_route(target);
  if (route == nullptr) return {.status = 404, .body = "there are /livez, /readyz, /status and /metrics\n"};
  if (!snapshot) return {.status = 503, .body = "Slipway does not answer: " + snapshot.error().message + "\n"};
  return route->answer(*snapshot);
}

}  // namespace slipway::web
