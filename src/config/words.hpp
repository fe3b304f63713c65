#pragma once
// The word of each enumerator, as it is written in a configuration: the tables in config/schema/ say them once, for
// the loader, the documents and these functions. Pure; the texts live for ever.

#include "config/configuration.hpp"

namespace slipway::config {

[[nodiscard]] const char* to_string(Backend value);
[[nodiscard]] const char* to_string(JournalMode value);
[[nodiscard]] const char* to_string(Synchronous value);
[[nodiscard]] const char* to_string(StartupCheck value);
[[nodiscard]] const char* to_string(SslMode value);
[[nodiscard]] const char* to_string(ChannelBinding value);
[[nodiscard]] const char* to_string(TargetSessionAttrs value);
[[nodiscard]] const char* to_string(ExportForm value);
[[nodiscard]] const char* to_string(MigrationTool value);
[[nodiscard]] const char* to_string(MigrationFailure value);
[[nodiscard]] const char* to_string(WorkerType value);
[[nodiscard]] const char* to_string(Condition value);
[[nodiscard]] const char* to_string(Restart value);
[[nodiscard]] const char* to_string(KillMode value);
[[nodiscard]] const char* to_string(HealthAction value);
[[nodiscard]] const char* to_string(Overlap value);
[[nodiscard]] const char* to_string(LogLevel value);
[[nodiscard]] const char* to_string(LogFormat value);
[[nodiscard]] const char* to_string(Color value);

}  // namespace slipway::config
