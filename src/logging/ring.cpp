#include "logging/ring.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
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

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Header header(std::size_t at) const {
    Header header;
    get(at, &header, sizeof header);
    return header;
  }
  /// Where the next record begins.
  [[nodiscard]] std::size_t after(std::size_t at) const { return at + sizeof(Header) + header(at).length; }

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

  [[nodiscard]] Record record(std::size_t unit, std::size_t at) const {
    using SystemClock = std::chrono::system_clock;
    const Circle& lines = units[unit].lines;
    const Header header = lines.header(at);
    const auto since = std::chrono::duration_cast<SystemClock::duration>(std::chrono::nanoseconds(header.nanoseconds));
    Record record{static_cast<Source>(unit), header.stream, SystemClock::time_point(since), {}};
    record.text.resize(header.length);
    lines.get(at + sizeof header, record.text.data(), header.length);
    return record;
  }

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
  std::uint64_t from = begin_of_last(count, sources);
  return read(from, impl_->next_sequence, sources, std::numeric_limits<std::size_t>::max());
}

std::uint64_t Ring::next() const { return impl_->next_sequence; }

std::uint64_t Ring::begin_of_last(std::size_t count, const std::vector<Source>& sources) const {
  if (count == 0) return impl_->next_sequence;
  std::vector<std::uint64_t> numbers;
  for (std::size_t unit = 0; unit < impl_->units.size(); ++unit) {
    if (!selects(sources, static_cast<Source>(unit))) continue;
    const Circle& lines = impl_->units[unit].lines;
    for (std::size_t at = 0; at < lines.size(); at = lines.after(at)) numbers.push_back(lines.header(at).sequence);
  }
  if (numbers.size() <= count) return 0;
  const auto first = numbers.end() - static_cast<std::ptrdiff_t>(count);
  std::nth_element(numbers.begin(), first, numbers.end());
  return *first;
}

std::vector<Ring::Record> Ring::read(std::uint64_t& from, std::uint64_t to, const std::vector<Source>& sources,
                                     std::size_t bytes) const {
  struct Place {
    std::uint64_t sequence;
    std::size_t unit;
    std::size_t at;
  };
  // The next line of each unit; the heap gives the oldest of them.
  const auto later = [](const Place& a, const Place& b) { return a.sequence > b.sequence; };
  std::vector<Place> heap;
  const auto push = [&](std::size_t unit, std::size_t at) {
    const Circle& lines = impl_->units[unit].lines;
    while (at < lines.size() && lines.header(at).sequence < from) at = lines.after(at);
    if (at >= lines.size() || lines.header(at).sequence >= to) return;
    heap.push_back({lines.header(at).sequence, unit, at});
    std::push_heap(heap.begin(), heap.end(), later);
  };
  for (std::size_t unit = 0; unit < impl_->units.size(); ++unit) {
    if (selects(sources, static_cast<Source>(unit))) push(unit, 0);
  }
  std::vector<Record> records;
  for (std::size_t size = 0; !heap.empty() && (size < bytes || records.empty());) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Place place = heap.back();
    heap.pop_back();
    records.push_back(impl_->record(place.unit, place.at));
    size += records.back().text.size() + sizeof(Record);
    from = place.sequence + 1;
    push(place.unit, impl_->units[place.unit].lines.after(place.at));
  }
  if (heap.empty()) from = to;
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
