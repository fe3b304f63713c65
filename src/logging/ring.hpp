#pragma once
// The recent output of every unit, for `slipway logs`: bounded per unit and in total, allocated as lines come.
// Followers see each line once, as it is added.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::logging {

/// 0 is Slipway itself; others are numbered by Ring::add.
enum class Source : std::uint32_t { kSlipway = 0 };
enum class Stream : std::uint8_t { kOut, kError };

struct Line {
  Source source{};
  Stream stream{};
  std::chrono::system_clock::time_point time;
  std::string_view text;  ///< without the newline; valid only during the call that shows it
};

class Ring {
 public:
  static constexpr std::size_t kUnitCapacity = 32 * 1024;  ///< bytes kept per unit, at most
  static constexpr std::size_t kTotalCapacity =
      16 * 1024 * 1024;  ///< bytes kept for all units; shared evenly beyond it

  /// These are the sources 1, 2, ...
  explicit Ring(const std::vector<std::string>& names = {});
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// A new source, whose name a follower or a listing may show.
  Source add(std::string name);
  [[nodiscard]] const std::string& name(Source source) const;
  /// The same source under another name; its lines stay.
  void rename(Source source, std::string name);
  /// Forgets the lines of a source, for one that becomes another unit's.
  void clear(Source source);

  /// Longer lines are kept by their last kUnitCapacity / 4 bytes.
  void append(const Line& line);

  struct Record {
    Source source{};
    Stream stream{};
    std::chrono::system_clock::time_point time;
    std::string text;
  };
  /// The last `count` lines of these sources together (all sources if empty), oldest first.
  [[nodiscard]] std::vector<Record> last(std::size_t count, const std::vector<Source>& sources) const;

  /// Every line has a number, in the order of arrival. This is the one that the next line gets.
  [[nodiscard]] std::uint64_t next() const;
  /// The number from which on there are at most `count` lines of these sources.
  [[nodiscard]] std::uint64_t begin_of_last(std::size_t count, const std::vector<Source>& sources) const;
  /// The lines of these sources from number `from` on, below `to`, oldest first, until they hold `bytes`; moves `from`
  /// behind them, and to `to` when that was all. What was forgotten meanwhile is missing.
  [[nodiscard]] std::vector<Record> read(std::uint64_t& from, std::uint64_t to, const std::vector<Source>& sources,
                                         std::size_t bytes) const;

  using Follower = std::function<void(const Line&)>;
  using Wanted = std::function<bool()>;
  /// Calls `follower` for every later line of these sources (all if empty) until unfollow(), as long as `wanted` says
  /// so (always if empty). It must not append, follow or unfollow from within the call.
  std::uint64_t follow(std::vector<Source> sources, Follower follower, Wanted wanted = {});
  void unfollow(std::uint64_t id);
  /// Somebody wants to see some source, so every line counts and not only the last ones.
  [[nodiscard]] bool followed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slipway::logging
