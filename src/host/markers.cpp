#include "host/markers.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <sys/random.h>
#include <unistd.h>

#include "host/files.hpp"

namespace slipway::host {
namespace {

void append_string(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json += '\\';
      json += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      json += escape;
    } else {
      json += c;
    }
  }
  json += '"';
}

void append_pair(std::string& json, std::string_view name, std::string_view value) {
  append_string(json, name);
  json += ':';
  append_string(json, value);
  json += ',';
}

std::string utc(std::chrono::system_clock::time_point at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(at - seconds).count();
  const std::time_t time = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char date[32];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  char text[48];
  std::snprintf(text, sizeof text, "%s.%03dZ", date, static_cast<int>(milliseconds));
  return text;
}

}  // namespace

std::string marker_json(const MarkerContent& content) {
  std::string json = "{";
  append_pair(json, "name", content.name);
  append_pair(json, "at", utc(content.at));
  append_pair(json, "boot_id", content.boot_id);
  append_pair(json, "config_sha256", content.config_sha256);
  if (!content.schema_version.empty()) append_pair(json, "schema_version", content.schema_version);
  if (content.failure) {
    if (!content.failure->unit.empty()) append_pair(json, "unit", content.failure->unit);
    append_pair(json, "reason", content.failure->reason);
    json += "\"exit_code\":" + std::to_string(content.failure->exit_code) + ",";
  }
  json += "\"duration_ms\":" + std::to_string(content.duration.count()) + "}\n";
  return json;
}

Result<void> write_marker(const std::string& path, const MarkerContent& content) {
  const std::size_t slash = path.rfind('/');
  if (slash != std::string::npos && slash > 0) {
    if (auto made = make_directories(path.substr(0, slash), 0755); !made) return made;
  }
  return atomic_write(path, marker_json(content), 0644);
}

std::string make_boot_id() {
  std::uint64_t random[2] = {};
  if (::getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random) {
    // An early boot without entropy: unique is enough, nobody trusts it to be unpredictable.
    random[0] = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    random[1] = static_cast<std::uint64_t>(::getpid());
  }
  char text[40];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(random[0]),
                static_cast<unsigned long long>(random[1]));
  return text;
}

}  // namespace slipway::host
