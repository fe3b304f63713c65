#pragma once
// The subcommands. Those of units.cpp are what PID 1 runs as units of the boot; those of by_hand.cpp are for people.

#include "config/error.hpp"
#include "programs/slipway-db/session.hpp"

namespace slipway::programs {

[[nodiscard]] Result<void> initdb(const Session& session);
/// Becomes the server; returns only on failure.
[[nodiscard]] Result<void> server(const Session& session);
[[nodiscard]] Result<void> prepare(const Session& session);
/// Ends this process by the same signal when the migration was interrupted by one.
[[nodiscard]] Result<void> migrate(const Session& session);

[[nodiscard]] Result<void> wait(const Session& session);
[[nodiscard]] Result<void> status(const Session& session);
[[nodiscard]] Result<void> backup(const Session& session);
[[nodiscard]] Result<void> url(const Session& session, bool show_password);

}  // namespace slipway::programs
