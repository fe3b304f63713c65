#include "logging/ring.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace slipway::logging {
namespace {

constexpr std::size_t kFirstCapacity = 1024;
constexpr std::size_t kLongestLine = Ring::kUnitCapacity / 4;

struct Header {
  std::uint64_t sequence = 0;
  std::int64_t nanoseconds = 0;
  std::uint32_t length = 0;
  Stream stream{};
};

/// Records one after the other in a circle of bytes; the oldest make room for the newest.
class Circle {
 public:
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  void push(const Header& header, std::string_view text) {
    const std::size_t needed = sizeof header + text.size();
    if (needed > capacity_) return;
    while (capacity_ - size_ < needed) pop();
    put(size_, &header, sizeof header);
    put(size_ + sizeof header, text.data(), text.size());
    size_ += needed;
  }

  void resize(std::size_t capacity) {
    auto data = std::make_unique<char[]>(capacity);
    while (size_ > capacity) pop();
    get(0, data.get(), size_);
    data_ = std::move(data);
    capacity_ = capacity;
    begin_ = 0;
  }

  [[nodiscard]] bool fits(std::size_t text) const { return capacity_ - size_ >= sizeof(Header) + text; }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t at = 0; at < size_;) {
      Header header;
      get(at, &header, sizeof header);
      visit(header, at + sizeof header);
      at += sizeof header + header.length;
    }
  }

  void get(std::size_t at, void* to, std::size_t length) const {
    if (length == 0) return;
    const std::size_t from = position(at);
    const std::size_t first = std::min(length, capacity_ - from);
    std::memcpy(to, data_.get() + from, first);
    std::memcpy(static_cast<char*>(to) + first, data_.get(), length - first);
  }

 private:
  /// `at` is at most the capacity.
  [[nodiscard]] std::size_t position(std::size_t at) const {
    const std::size_t sum = begin_ + at;
    return sum < capacity_ ? sum : sum - capacity_;
  }

  void put(std::size_t at, const void* bytes, std::size_t length) {
    if (length == 0) return;
    const std::size_t to = position(at);
    const std::size_t first = std::min(length, capacity_ - to);
    std::memcpy(data_.get() + to, bytes, first);
    std::memcpy(data_.get(), static_cast<const char*>(bytes) + first, length - first);
  }

  void pop() {
    Header header;
    get(0, &header, sizeof header);
    const std::size_t length = sizeof header + header.length;
    begin_ = position(length);
    size_ -= length;
  }

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

struct Subscription {
  std::uint64_t id;
  std::vector<Source> sources;
  Ring::Follower follower;
  Ring::Wanted wanted;
};

bool selects(const std::vector<Source>& sources, Source source) {
  return sources.empty() || std::find(sources.begin(), sources.end(), source) != sources.end();
}

bool wants(const Subscription& subscription) { return !subscription.wanted || subscription.wanted(); }

std::size_t index(Source source) { return static_cast<std::size_t>(source); }

}  // namespace

struct Ring::Impl {
  struct Unit {
    std::string name;
    Circle lines;
  };
  std::vector<Unit> units;
  std::vector<Subscription> followers;
  std::uint64_t next_sequence = 0;
  std::uint64_t next_id = 1;

  void make_room(Circle& lines, std::size_t text) const {
    const std::size_t share = std::max(kFirstCapacity, std::min(kUnitCapacity, kTotalCapacity / units.size()));
    while (!lines.fits(text) && lines.capacity() < share) {
      lines.resize(std::min(share, std::max(kFirstCapacity, lines.capacity() * 2)));
    }
  }
};

Ring::Ring(const std::vector<std::string>& names) : impl_(std::make_unique<Impl>()) {
  add("slipway");
  for (const std::string& name : names) add(name);
}
Ring::~Ring() = default;

Source Ring::add(std::string name) {
  impl_->units.push_back({std::move(name), {}});
  return static_cast<Source>(impl_->units.size() - 1);
}

const std::string& Ring::name(Source source) const { return impl_->units[index(source)].name; }

void Ring::rename(Source source, std::string name) { impl_->units[index(source)].name = std::move(name); }

void Ring::clear(Source source) { impl_->units[index(source)].lines = Circle(); }

void Ring::append(const Line& line) {
  Circle& lines = impl_->units[index(line.source)].lines;
  std::string_view text = line.text;
  if (text.size() > kLongestLine) text.remove_prefix(text.size() - kLongestLine);
  impl_->make_room(lines, text.size());
  const auto time = std::chrono::duration_cast<std::chrono::nanoseconds>(line.time.time_since_epoch());
  lines.push({impl_->next_sequence++, time.count(), static_cast<std::uint32_t>(text.size()), line.stream}, text);
  for (const Subscription& subscription : impl_->followers) {
    if (selects(subscription.sources, line.source) && wants(subscription)) subscription.follower(line);
  }
}

std::vector<Ring::Record> Ring::last(std::size_t count, const std::vector<Source>& sources) const {
  struct Position {
    Header header;
    std::size_t unit;
    std::size_t at;
  };
  std::vector<Position> positions;
  for (std::size_t unit = 0; unit < impl_->units.size(); ++unit) {
    if (!selects(sources, static_cast<Source>(unit))) continue;
    impl_->units[unit].lines.for_each(
        [&](const Header& header, std::size_t at) { positions.push_back({header, unit, at}); });
  }
  std::sort(positions.begin(), positions.end(),
            [](const Position& a, const Position& b) { return a.header.sequence < b.header.sequence; });
  std::vector<Record> records;
  for (std::size_t i = positions.size() - std::min(count, positions.size()); i < positions.size(); ++i) {
    const auto& [header, unit, at] = positions[i];
    using SystemClock = std::chrono::system_clock;
    const auto since = std::chrono::duration_cast<SystemClock::duration>(std::chrono::nanoseconds(header.nanoseconds));
    records.push_back({static_cast<Source>(unit), header.stream, SystemClock::time_point(since), {}});
    records.back().text.resize(header.length);
    impl_->units[unit].lines.get(at, records.back().text.data(), header.length);
  }
  return records;
}

std::uint64_t Ring::follow(std::vector<Source> sources, Follower follower, Wanted wanted) {
  impl_->followers.push_back({impl_->next_id, std::move(sources), std::move(follower), std::move(wanted)});
  return impl_->next_id++;
}

void Ring::unfollow(std::uint64_t id) {
  auto& followers = impl_->followers;
  followers.erase(std::remove_if(followers.begin(), followers.end(), [&](const Subscription& s) { return s.id == id; }),
                  followers.end());
}

bool Ring::followed() const { return std::any_of(impl_->followers.begin(), impl_->followers.end(), wants); }

}  // namespace slipway::logging
