#pragma once
// From http.listen to a listening descriptor, which is made while there may still be the right to.

#include <string>

#include "config/error.hpp"

namespace slipway::web {

/// `127.0.0.1:9180`, `[::1]:9180`, `localhost:9180` or `0.0.0.0:9180`. Returns a listening TCP socket, close-on-exec,
/// which the caller owns. Errors: no such address, in use, no permission.
[[nodiscard]] Result<int> listen_on(const std::string& address);

}  // namespace slipway::web
