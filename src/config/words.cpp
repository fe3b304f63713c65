#include "config/words.hpp"

#include "config/schema/enumerations.hpp"

namespace slipway::config {
namespace {

template <typename Enum>
const char* word_of(Enum value) {
  for (const auto& word : Words<Enum>::words)
    if (word.value == value && !word.alias) return word.text.data();  // literals: terminated by a zero
  return "unknown";
}

}  // namespace

const char* to_string(Backend value) { return word_of(value); }
const char* to_string(JournalMode value) { return word_of(value); }
const char* to_string(Synchronous value) { return word_of(value); }
const char* to_string(StartupCheck value) { return word_of(value); }
const char* to_string(SslMode value) { return word_of(value); }
const char* to_string(ChannelBinding value) { return word_of(value); }
const char* to_string(TargetSessionAttrs value) { return word_of(value); }
const char* to_string(ExportForm value) { return word_of(value); }
const char* to_string(MigrationTool value) { return word_of(value); }
const char* to_string(MigrationFailure value) { return word_of(value); }
const char* to_string(WorkerType value) { return word_of(value); }
const char* to_string(Condition value) { return word_of(value); }
const char* to_string(Restart value) { return word_of(value); }
const char* to_string(KillMode value) { return word_of(value); }
const char* to_string(HealthAction value) { return word_of(value); }
const char* to_string(Overlap value) { return word_of(value); }
const char* to_string(LogLevel value) { return word_of(value); }
const char* to_string(LogFormat value) { return word_of(value); }
const char* to_string(Color value) { return word_of(value); }

}  // namespace slipway::config
