#pragma once
// Does a stored verifier already belong to a password? Saves a warm boot the reset, which costs three key derivations
// and a flush of the write-ahead log.

#include <string>

#include "config/secret.hpp"

namespace slipway::database::postgres {

/// `verifier` as pg_authid.rolpassword holds it: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> (RFC 5802).
/// False whenever in doubt: another method, a password SASLprep might change (not printable ASCII), a malformed text.
[[nodiscard]] bool scram_verifier_matches(const std::string& verifier, const config::Secret& password);

}  // namespace slipway::database::postgres
