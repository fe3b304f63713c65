#pragma once
// What the data directory remembers about its first initialisation by Slipway, in the file slipway.state. Without it a
// cluster came from somewhere else and is complete.
//
//   stage          written                                   the next boot finds it and
//   cluster        by initdb, before the rename              provisions and runs the init scripts
//   init-scripts   before the first init script starts       builds the cluster again: nobody was ever let in
//   discarding     before an unfinished cluster is removed   goes on removing it
//   complete       after provisioning and the last script    provisions again (idempotent), runs no script

#include <optional>
#include <string>

#include "config/error.hpp"
#include "database/postgres/os_identity.hpp"

namespace slipway::database::postgres {

enum class InitStage { kCluster, kInitScripts, kDiscarding, kComplete };

inline constexpr auto kRecordName = "slipway.state";

/// Nothing when there is no record. Errors: 73 for one that cannot be understood.
[[nodiscard]] Result<std::optional<InitStage>> read_record(const std::string& data_dir);
[[nodiscard]] Result<void> write_record(const std::string& data_dir, InitStage stage, const OsIdentity& identity);

}  // namespace slipway::database::postgres
