#include "logging/line_router.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "logging/escape.hpp"
#include "logging/log_file.hpp"

namespace slipway::logging {

using config::WorkerLogFormat;

LineRouter::LineRouter(Output& output, Ring& ring, const config::Logging& settings)
    : output_(output),
      ring_(ring),
      writer_(output),
      format_(settings.format == config::LogFormat::kJson ? WorkerLogFormat::kJson : WorkerLogFormat::kPrefix),
      timestamps_(settings.timestamps),
      destinations_{{&output, nullptr, nullptr}} {}

LineRouter::Unit& LineRouter::of(Source unit) {
  const auto at = static_cast<std::size_t>(unit);
  while (units_.size() <= at) {
    const auto source = static_cast<Source>(units_.size());
    Unit& made = units_.emplace_back();
    made.format = format_;
    label(made, source);
  }
  return units_[at];
}

void LineRouter::label(Unit& unit, Source source) const {
  unit.label.clear();
  if (unit.format == WorkerLogFormat::kRaw) return;
  if (unit.format == WorkerLogFormat::kPrefix) {
    if (timestamps_) unit.label += ' ';
    append_escaped(unit.label, ring_.name(source));
    unit.label += " | ";
    return;
  }
  unit.label = R"(","level":"info","unit":")";
  append_json(unit.label, ring_.name(source));
  unit.label += R"(","event":"output","stream":"std)";
}

void LineRouter::route(Source source, const Capture::Route& route) {
  Unit& unit = of(source);
  unit.route = route;
  unit.format = route.format.value_or(format_);
  unit.destination = 0;
  label(unit, source);
  if (route.file == nullptr) return;
  const auto known = std::find_if(destinations_.begin(), destinations_.end(),
                                  [&](const Destination& each) { return each.file == route.file; });
  unit.destination = static_cast<std::size_t>(known - destinations_.begin());
  if (known == destinations_.end()) destinations_.push_back({route.file, route.file, nullptr});
}

void LineRouter::observe(Source unit, Capture::LineObserver observer) { of(unit).observer = std::move(observer); }

bool LineRouter::independent(Source unit) {
  const Capture::Route& route = of(unit).route;
  return route.file != nullptr || route.on_full == config::OnFull::kDrop;
}

void LineRouter::begin(Unit& unit, Time now) {
  const Destination& to = destinations_[unit.destination];
  now_ = now;
  if (to.file != nullptr) to.file->begin(now);
  writer_.to(*to.sink);
  prefix_.clear();
  if (unit.format == WorkerLogFormat::kJson) prefix_ = R"({"time":")";
  if (unit.format == WorkerLogFormat::kJson || (unit.format == WorkerLogFormat::kPrefix && timestamps_)) {
    prefix_ += timestamp_.format(now);
  }
  prefix_ += unit.label;
}

void LineRouter::take(LineState& state, std::string_view data, Time now) {
  Unit& unit = of(state.unit);
  begin(unit, now);
  const bool all = data.size() <= Ring::kUnitCapacity || unit.observer || ring_.followed();
  remember_from_ = all ? data.data() : data.data() + data.size() - Ring::kUnitCapacity;
  split(unit, state, data);
  writer_.flush();
}

void LineRouter::split(Unit& unit, LineState& state, std::string_view data) {
  while (!data.empty()) {
    const auto* newline = static_cast<const char*>(std::memchr(data.data(), '\n', data.size()));
    const std::size_t room = kLongestLine - state.partial.size();
    const std::size_t length = newline ? static_cast<std::size_t>(newline - data.data()) : data.size();
    if (!newline && length < room) {
      state.partial += data;
      return;
    }
    const bool whole = newline && length <= room;
    std::size_t taken = whole ? length + 1 : std::min(length, room);
    if (!whole && unit.format == WorkerLogFormat::kJson) {
      const std::size_t characters = whole_characters(data.substr(0, taken));
      if (characters > 0 || !state.partial.empty()) taken = characters;
    }
    emit(unit, state, state.partial, data.substr(0, taken), whole);
    if (!state.partial.empty()) {
      writer_.flush();  // it refers to the partial line
      std::string().swap(state.partial);
    }
    data.remove_prefix(taken);
  }
}

/// One line, or with `whole` unset a piece of one. A whole line ends in its newline.
void LineRouter::emit(Unit& unit, LineState& state, std::string_view first, std::string_view rest, bool whole) {
  const bool begins = !std::exchange(state.in_long_line, !whole);
  if (begins) state.cut = false;
  if (!state.cut && !state.waits && unit.destination == 0 && output_.full()) {
    state.cut = true;
    ++unit.lost_lines;
    if (destinations_[0].open_line == &state) destinations_[0].open_line = nullptr;
  }
  if (state.cut) {
    unit.lost_bytes += first.size() + rest.size();
  } else {
    write(unit, state, first, rest, begins, whole);
  }
  if (rest.data() >= remember_from_ || !first.empty()) remember(unit, state, first, rest, begins, whole);
}

void LineRouter::write(Unit& unit, const LineState& state, std::string_view first, std::string_view rest, bool begins,
                       bool whole) {
  Destination& to = destinations_[unit.destination];
  const std::size_t size = prefix_.size() + first.size() + rest.size();
  if (unit.format == WorkerLogFormat::kJson) {
    if (!writer_.at_line_start()) writer_.copy("\n");
    rotate_if_due(to, size);
    write_json(state, first, rest, whole);
    to.open_line = nullptr;
    return;
  }
  const bool continues = !begins && to.open_line == &state && !writer_.at_line_start();
  to.open_line = whole ? nullptr : &state;
  if (continues) {
    writer_.refer(first);
    return writer_.refer(rest);
  }
  if (!writer_.at_line_start()) writer_.copy("\n");
  if (to.file != nullptr) rotate_if_due(to, size);
  if (first.empty()) return writer_.line(prefix_, rest);
  writer_.line(prefix_, first);
  writer_.refer(rest);
}

void LineRouter::rotate_if_due(const Destination& to, std::size_t more) {
  if (to.file == nullptr || !to.file->due(writer_.pending(), more)) return;
  writer_.flush();
  to.file->rotate();
}

void LineRouter::write_json(const LineState& state, std::string_view first, std::string_view rest, bool whole) {
  if (whole) rest.remove_suffix(1);
  json_ = prefix_;
  json_ += state.kind == Stream::kOut ? R"(out","msg":")" : R"(err","msg":")";
  if (first.empty()) {
    append_json(json_, rest);
  } else {
    append_json(json_, std::string(first).append(rest));  // a character may lie in both
  }
  json_ += whole ? "\"}\n" : "\",\"partial\":true}\n";
  writer_.copy(json_);
}

void LineRouter::remember(Unit& unit, const LineState& state, std::string_view first, std::string_view rest,
                          bool begins, bool whole) {
  std::string_view text = rest;
  std::string joined;
  if (!first.empty()) {
    joined.append(first).append(rest);
    text = joined;
  }
  if (whole && !text.empty()) text.remove_suffix(1);
  ring_.append({state.unit, state.kind, now_, text});
  // What an ended process left behind says nothing about the one that may run now.
  if (unit.observer && begins && !state.ended && !unit.observer(text)) unit.observer = nullptr;
}

void LineRouter::end_line(LineState& state, Time now) {
  Unit& unit = of(state.unit);
  const Destination& to = destinations_[unit.destination];
  const bool raw = unit.format == WorkerLogFormat::kRaw;
  begin(unit, now);
  remember_from_ = nullptr;
  if (!state.partial.empty()) {
    std::string line = std::exchange(state.partial, {});
    if (!raw) line += '\n';
    emit(unit, state, {}, line, !raw);
    writer_.flush();  // it refers to the line
  } else if (!raw && to.open_line == &state && !writer_.at_line_start()) {
    writer_.copy("\n");
  }
  writer_.flush();
  state.in_long_line = false;
  forget(state);
}

void LineRouter::forget(const LineState& state) {
  for (Destination& each : destinations_) {
    if (each.open_line == &state) each.open_line = nullptr;
  }
}

void LineRouter::report_lost(const Capture::LostLines& lost) {
  for (std::size_t at = 0; at < units_.size(); ++at) {
    Unit& unit = units_[at];
    if (unit.lost_lines == 0) continue;
    const std::uint64_t lines = std::exchange(unit.lost_lines, 0);
    const std::uint64_t bytes = std::exchange(unit.lost_bytes, 0);
    if (lost) lost(static_cast<Source>(at), lines, bytes);
  }
}

}  // namespace slipway::logging
