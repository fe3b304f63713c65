#pragma once
// Every word of every enumeration. Aliases are accepted, never shown.

#include "config/schema/table.hpp"

namespace slipway::config {

template <>
struct Words<Backend> {
  static constexpr std::array words{EnumWord<Backend>{"none", Backend::kNone},
                                    EnumWord<Backend>{"sqlite", Backend::kSqlite},
                                    EnumWord<Backend>{"postgres", Backend::kPostgres},
                                    EnumWord<Backend>{"postgresql", Backend::kPostgres, true},
                                    EnumWord<Backend>{"neon", Backend::kPostgres, true},
                                    EnumWord<Backend>{"postgres_neon", Backend::kPostgres, true},
                                    EnumWord<Backend>{"postgresql_neon", Backend::kPostgres, true}};
};
template <>
struct Words<JournalMode> {
  static constexpr std::array words{EnumWord<JournalMode>{"wal", JournalMode::kWal},
                                    EnumWord<JournalMode>{"delete", JournalMode::kDelete},
                                    EnumWord<JournalMode>{"truncate", JournalMode::kTruncate},
                                    EnumWord<JournalMode>{"persist", JournalMode::kPersist},
                                    EnumWord<JournalMode>{"memory", JournalMode::kMemory},
                                    EnumWord<JournalMode>{"off", JournalMode::kOff}};
};
template <>
struct Words<Synchronous> {
  static constexpr std::array words{
      EnumWord<Synchronous>{"off", Synchronous::kOff}, EnumWord<Synchronous>{"normal", Synchronous::kNormal},
      EnumWord<Synchronous>{"full", Synchronous::kFull}, EnumWord<Synchronous>{"extra", Synchronous::kExtra}};
};
template <>
struct Words<StartupCheck> {
  static constexpr std::array words{EnumWord<StartupCheck>{"off", StartupCheck::kOff},
                                    EnumWord<StartupCheck>{"quick", StartupCheck::kQuick},
                                    EnumWord<StartupCheck>{"full", StartupCheck::kFull}};
};
template <>
struct Words<SslMode> {
  static constexpr std::array words{
      EnumWord<SslMode>{"disable", SslMode::kDisable},    EnumWord<SslMode>{"allow", SslMode::kAllow},
      EnumWord<SslMode>{"prefer", SslMode::kPrefer},      EnumWord<SslMode>{"require", SslMode::kRequire},
      EnumWord<SslMode>{"verify-ca", SslMode::kVerifyCa}, EnumWord<SslMode>{"verify-full", SslMode::kVerifyFull}};
};
template <>
struct Words<ChannelBinding> {
  static constexpr std::array words{EnumWord<ChannelBinding>{"disable", ChannelBinding::kDisable},
                                    EnumWord<ChannelBinding>{"prefer", ChannelBinding::kPrefer},
                                    EnumWord<ChannelBinding>{"require", ChannelBinding::kRequire}};
};
template <>
struct Words<TargetSessionAttrs> {
  using Attrs = TargetSessionAttrs;
  static constexpr std::array words{EnumWord<Attrs>{"any", Attrs::kAny},
                                    EnumWord<Attrs>{"read-write", Attrs::kReadWrite},
                                    EnumWord<Attrs>{"read-only", Attrs::kReadOnly},
                                    EnumWord<Attrs>{"primary", Attrs::kPrimary},
                                    EnumWord<Attrs>{"standby", Attrs::kStandby},
                                    EnumWord<Attrs>{"prefer-standby", Attrs::kPreferStandby}};
};
template <>
struct Words<ExportForm> {
  static constexpr std::array words{
      EnumWord<ExportForm>{"url", ExportForm::kUrl},       EnumWord<ExportForm>{"dsn", ExportForm::kDsn},
      EnumWord<ExportForm>{"jdbc", ExportForm::kJdbc},     EnumWord<ExportForm>{"host", ExportForm::kHost},
      EnumWord<ExportForm>{"port", ExportForm::kPort},     EnumWord<ExportForm>{"name", ExportForm::kName},
      EnumWord<ExportForm>{"user", ExportForm::kUser},     EnumWord<ExportForm>{"password", ExportForm::kPassword},
      EnumWord<ExportForm>{"schema", ExportForm::kSchema}, EnumWord<ExportForm>{"sslmode", ExportForm::kSslmode},
      EnumWord<ExportForm>{"path", ExportForm::kPath},     EnumWord<ExportForm>{"backend", ExportForm::kBackend}};
};
template <>
struct Words<MigrationTool> {
  static constexpr std::array words{EnumWord<MigrationTool>{"command", MigrationTool::kCommand},
                                    EnumWord<MigrationTool>{"alembic", MigrationTool::kAlembic},
                                    EnumWord<MigrationTool>{"django", MigrationTool::kDjango}};
};
template <>
struct Words<MigrationFailure> {
  static constexpr std::array words{EnumWord<MigrationFailure>{"stop", MigrationFailure::kStop},
                                    EnumWord<MigrationFailure>{"continue", MigrationFailure::kContinue}};
};
template <>
struct Words<WorkerType> {
  static constexpr std::array words{EnumWord<WorkerType>{"service", WorkerType::kService},
                                    EnumWord<WorkerType>{"oneshot", WorkerType::kOneshot},
                                    EnumWord<WorkerType>{"scheduled", WorkerType::kScheduled}};
};
template <>
struct Words<Condition> {
  static constexpr std::array words{EnumWord<Condition>{"started", Condition::kStarted},
                                    EnumWord<Condition>{"healthy", Condition::kHealthy},
                                    EnumWord<Condition>{"completed", Condition::kCompleted},
                                    EnumWord<Condition>{"service_started", Condition::kStarted, true},
                                    EnumWord<Condition>{"service_healthy", Condition::kHealthy, true},
                                    EnumWord<Condition>{"service_completed_successfully", Condition::kCompleted, true}};
};
template <>
struct Words<Restart> {
  static constexpr std::array words{EnumWord<Restart>{"no", Restart::kNo},
                                    EnumWord<Restart>{"always", Restart::kAlways},
                                    EnumWord<Restart>{"on-failure", Restart::kOnFailure},
                                    EnumWord<Restart>{"unless-stopped", Restart::kUnlessStopped}};
};
template <>
struct Words<KillMode> {
  static constexpr std::array words{EnumWord<KillMode>{"group", KillMode::kGroup},
                                    EnumWord<KillMode>{"process", KillMode::kProcess}};
};
template <>
struct Words<HealthAction> {
  static constexpr std::array words{EnumWord<HealthAction>{"restart", HealthAction::kRestart},
                                    EnumWord<HealthAction>{"shutdown", HealthAction::kShutdown},
                                    EnumWord<HealthAction>{"ignore", HealthAction::kIgnore}};
};
template <>
struct Words<WorkerLogFormat> {
  static constexpr std::array words{EnumWord<WorkerLogFormat>{"prefix", WorkerLogFormat::kPrefix},
                                    EnumWord<WorkerLogFormat>{"raw", WorkerLogFormat::kRaw},
                                    EnumWord<WorkerLogFormat>{"json", WorkerLogFormat::kJson}};
};
template <>
struct Words<OnFull> {
  static constexpr std::array words{EnumWord<OnFull>{"block", OnFull::kBlock}, EnumWord<OnFull>{"drop", OnFull::kDrop}};
};
template <>
struct Words<Overlap> {
  static constexpr std::array words{EnumWord<Overlap>{"forbid", Overlap::kForbid},
                                    EnumWord<Overlap>{"allow", Overlap::kAllow},
                                    EnumWord<Overlap>{"replace", Overlap::kReplace}};
};
template <>
struct Words<LogLevel> {
  static constexpr std::array words{
      EnumWord<LogLevel>{"debug", LogLevel::kDebug}, EnumWord<LogLevel>{"info", LogLevel::kInfo},
      EnumWord<LogLevel>{"warning", LogLevel::kWarning}, EnumWord<LogLevel>{"error", LogLevel::kError},
      EnumWord<LogLevel>{"warn", LogLevel::kWarning, true}};
};
template <>
struct Words<LogFormat> {
  static constexpr std::array words{EnumWord<LogFormat>{"text", LogFormat::kText},
                                    EnumWord<LogFormat>{"json", LogFormat::kJson}};
};
template <>
struct Words<Color> {
  static constexpr std::array words{EnumWord<Color>{"auto", Color::kAuto}, EnumWord<Color>{"always", Color::kAlways},
                                    EnumWord<Color>{"never", Color::kNever}};
};

}  // namespace slipway::config
