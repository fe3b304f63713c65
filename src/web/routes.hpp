#pragma once
// What each path answers, free of sockets: a request's method and target and what PID 1 said become a response. Pure.

#include <string>
#include <string_view>

#include "config/error.hpp"
#include "control/snapshot.hpp"

namespace slipway::web {

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool allow = false;  ///< say which methods there are (405)
};

/// Whether the answer depends on PID 1: others are answered without asking it.
[[nodiscard]] bool needs_snapshot(std::string_view method, std::string_view target);

/// `snapshot`: an error when PID 1 did not answer.
[[nodiscard]] Response respond(std::string_view method, std::string_view target,
                               const Result<control::Snapshot>& snapshot);

}  // namespace slipway::web
