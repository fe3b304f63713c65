#pragma once
// The documented exit codes of `slipway run` and of `slipway-db`: one list for all three programs.

namespace slipway {

/// sysexits(3) numbers where one fits. A critical worker's own code is passed through instead.
enum class ExitCode : int {
  kOk = 0,                    ///< stopped as asked
  kUsage = 64,                ///< wrong command line
  kDatabaseUnavailable = 69,  ///< the database did not answer in time
  kInternal = 70,             ///< a bug, or the system refused something essential
  kClusterRefused = 73,       ///< the cluster or data directory is not ours to touch
  kLockTimeout = 75,          ///< another process held the migration lock for too long
  kBackupFailed = 76,         ///< the backup before a migration failed
  kPermission = 77,           ///< authentication or permission
  kConfiguration = 78,        ///< the configuration is invalid
  kMigrationFailed = 79,      ///< a migration or its verification failed
  kWorkerFailed = 80,         ///< a worker without a code of its own failed
};

/// True for a code that slipway-db may pass through PID 1 to the container's exit status.
constexpr bool is_documented(int code) {
  switch (static_cast<ExitCode>(code)) {
    case ExitCode::kUsage:
    case ExitCode::kDatabaseUnavailable:
    case ExitCode::kInternal:
    case ExitCode::kClusterRefused:
    case ExitCode::kLockTimeout:
    case ExitCode::kBackupFailed:
    case ExitCode::kPermission:
    case ExitCode::kConfiguration:
    case ExitCode::kMigrationFailed:
    case ExitCode::kWorkerFailed:
      return true;
    default:
      return false;
  }
}

}  // namespace slipway
