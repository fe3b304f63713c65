#pragma once
// Passwords that live in files: one the operator gives, one Slipway makes for its own server.

#include <string>

#include "config/error.hpp"
#include "config/secret.hpp"

namespace slipway::database {

/// The file's text without one trailing newline. `key` names the setting in errors.
/// Errors: 77 when it may not be read, 78 when it is missing, empty, too long or no text.
[[nodiscard]] Result<config::Secret> read_password_file(const std::string& path, const std::string& key);

/// The password of the local server, kept in `<state_dir>/postgres.password` (0600, owned by the caller's effective
/// user). Made from the kernel's random numbers the first time; several processes at once get the same one, and a
/// crash leaves either no file or a whole one. One whose mode was widened is made 0600 again.
/// Errors: 77 or 73 with the directory, the reason and what to do.
[[nodiscard]] Result<config::Secret> generated_password(const std::string& state_dir);

/// As above, but makes nothing: empty when there is none yet.
[[nodiscard]] Result<config::Secret> existing_generated_password(const std::string& state_dir);

}  // namespace slipway::database
