#include "logging/log.hpp"

#include <cstdlib>
#include <optional>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include "logging/clock.hpp"
#include "logging/escape.hpp"
#include "logging/redaction.hpp"

namespace slipway::logging {
namespace {

using config::Color;
using config::LogFormat;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

struct LevelLook {
  const char* padded;
  const char* name;
  const char* color;
};

LevelLook look(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return {"DEBUG ", "debug", "\033[2m"};
    case spdlog::level::info:
      return {"INFO  ", "info", "\033[32m"};
    case spdlog::level::warn:
      return {"WARN  ", "warning", "\033[33m"};
    default:
      return {"ERROR ", "error", "\033[31m"};
  }
}

bool use_color(const config::Logging& settings, const Output& output) {
  if (settings.format == LogFormat::kJson || settings.color == Color::kNever) return false;
  if (settings.color == Color::kAlways) return true;
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal && std::string_view(terminal) == "dumb";
  return output.terminal() && !dumb && !(no_color && *no_color);
}

/// Puts the time and the level around a body that write() prepared.
class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(const config::Logging& settings, bool color)
      : json_(settings.format == LogFormat::kJson), timestamps_(settings.timestamps), color_(color) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    const LevelLook level = look(message.level);
    if (json_) {
      add(line, "{\"time\":\"");
      add(line, time_.format(message.time));
      add(line, "\",\"level\":\"");
      add(line, level.name);
      add(line, "\"");
    } else {
      if (timestamps_) {
        add(line, time_.format(message.time));
        add(line, " ");
      }
      if (color_) add(line, level.color);
      add(line, level.padded);
      if (color_) add(line, "\033[0m");
    }
    add(line, {message.payload.data(), message.payload.size()});
    add(line, json_ ? "}\n" : "\n");
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(*this); }

 private:
  static void add(spdlog::memory_buf_t& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
  }

  Timestamp time_;
  bool json_;
  bool timestamps_;
  bool color_;
};

class OutputSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  OutputSink(Output& output, const config::Logging& settings)
      : output_(output), plain_(settings, false), colored_(use_color(settings, output)) {
    formatter_ = std::make_unique<LineFormatter>(settings, colored_);
  }
  std::function<void(Level, std::string_view)> observer;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    output_.write_line({line.data(), line.size()});
    if (!observer) return;
    if (colored_) {
      line.clear();
      plain_.format(message, line);
    }
    observer(level_of(message.level), {line.data(), line.size() - 1});
  }
  void flush_() override {}

 private:
  static Level level_of(spdlog::level::level_enum level) {
    if (level <= spdlog::level::debug) return Level::kDebug;
    if (level == spdlog::level::info) return Level::kInfo;
    return level == spdlog::level::warn ? Level::kWarning : Level::kError;
  }

  Output& output_;
  LineFormatter plain_;
  bool colored_;
};

void append_text_value(std::string& body, std::string_view text) {
  const bool quote = text.empty() || text.find_first_of(" \"=") != std::string_view::npos;
  if (quote) body += '"';
  if (text.find('"') == std::string_view::npos) {
    append_escaped(body, text);
  } else {
    std::string escaped;
    for (const char c : text) escaped += c == '"' ? std::string("\\\"") : std::string(1, c);
    append_escaped(body, escaped);
  }
  if (quote) body += '"';
}

void append_json_pair(std::string& body, std::string_view name, std::string_view value) {
  body += ",\"";
  append_json(body, name);
  body += "\":\"";
  append_json(body, value);
  body += '"';
}

}  // namespace

struct Log::Impl {
  Impl(Output& output, const config::Logging& settings)
      : json(settings.format == LogFormat::kJson),
        sink(std::make_shared<OutputSink>(output, settings)),
        logger("slipway", sink) {
    logger.set_level(to_spdlog(settings.level));
    // Its own handler prints to standard error, which may block.
    logger.set_error_handler([](const std::string&) {});
  }

  bool json;
  std::shared_ptr<OutputSink> sink;
  spdlog::logger logger;
  Redaction redaction;

  std::string clean(std::string_view text) const {
    return redaction.empty() ? std::string(text) : redaction.apply(text);
  }

  std::string json_body(std::string_view unit, std::string_view event, std::string_view message,
                        const std::vector<Field>& fields) const {
    std::string body;
    if (!unit.empty()) append_json_pair(body, "unit", clean(unit));
    if (!event.empty()) append_json_pair(body, "event", event);
    append_json_pair(body, "msg", clean(message));
    for (const Field& field : fields) {
      if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_json_pair(body, field.name, clean(*text));
        continue;
      }
      body += ",\"";
      append_json(body, field.name);
      body += "\":";
      append_plain(body, field);
    }
    return body;
  }

  std::string text_body(std::string_view unit, std::string_view message, const std::vector<Field>& fields) const {
    std::string body;
    if (!unit.empty()) {
      append_escaped(body, clean(unit));
      body += ' ';
    }
    append_escaped(body, clean(message));
    for (const Field& field : fields) {
      body += ' ';
      append_escaped(body, field.name);
      body += '=';
      if (const auto* text = std::get_if<std::string_view>(&field.value)) {
        append_text_value(body, clean(*text));
      } else {
        append_plain(body, field);
      }
    }
    return body;
  }

  static void append_plain(std::string& body, const Field& field) {
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) body += std::to_string(*number);
    if (const auto* flag = std::get_if<bool>(&field.value)) body += *flag ? "true" : "false";
  }
};

Log::Log(Output& output, const config::Logging& settings) : impl_(std::make_unique<Impl>(output, settings)) {}
Log::~Log() = default;

void Log::write(Level level, std::string_view unit, std::string_view event, std::string_view message,
                const std::vector<Field>& fields) {
  const auto severity = to_spdlog(level);
  if (!impl_->logger.should_log(severity)) return;
  const std::string body =
      impl_->json ? impl_->json_body(unit, event, message, fields) : impl_->text_body(unit, message, fields);
  impl_->logger.log(severity, spdlog::string_view_t(body.data(), body.size()));
}

void Log::redact(const std::vector<std::string>& secrets) { impl_->redaction = Redaction(secrets); }

void Log::observe(std::function<void(Level, std::string_view)> observer) {
  impl_->sink->observer = std::move(observer);
}

}  // namespace slipway::logging
