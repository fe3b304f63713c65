#include "logging/capture.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "logging/clock.hpp"
#include "logging/escape.hpp"
#include "logging/line_writer.hpp"

namespace slipway::logging {
namespace {

constexpr std::size_t kReadBuffer = 64 * 1024;
constexpr std::size_t kLongestLine = 64 * 1024;
constexpr int kReadsPerTurn = 4;
/// A pipe that is found full again and again gets more room, once: fewer switches between writer and reader.
constexpr int kBusyPipe = 256 * 1024;
/// What a drain reads at most: a leftover writer that never pauses must not hold PID 1.
constexpr int kDrainReads = kBusyPipe / static_cast<int>(kReadBuffer) + 1;

/// How many pipes of earlier starts wait, unread, for a stuck reader; what older ones hold is lost.
constexpr std::size_t kKeptPipes = 4;

/// The reading end of one pipe of one start of a unit.
struct CapturedPipe {
  int fd = -1;
  int set = -1;  ///< the epoll set it is in
  Source unit{};
  Stream kind{};
  bool ended = false;  ///< the process is gone: an unfinished line will not be finished by it
  bool grown = false;
  bool in_long_line = false;  ///< its first piece has passed
  std::string partial;        ///< of a line whose end has not come yet; at most kLongestLine

  CapturedPipe(int descriptor, Source source, Stream stream) : fd(descriptor), unit(source), kind(stream) {}
  CapturedPipe(const CapturedPipe&) = delete;
  CapturedPipe& operator=(const CapturedPipe&) = delete;
  ~CapturedPipe() {
    // Closing is not enough: a child between fork and exec still holds the pipe, and the set would go on naming us.
    if (set >= 0) ::epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
    ::close(fd);
  }
};

enum class ReadResult { kMore, kEmpty, kEnd };

}  // namespace

struct Capture::Impl : std::enable_shared_from_this<Impl> {
  using Streams = std::vector<std::unique_ptr<CapturedPipe>>;

  Impl(boost::asio::io_context& context, Output& out, Ring& r, const config::Logging& settings)
      : output(out),
        ring(r),
        writer(out),
        poller(context),
        json(settings.format == config::LogFormat::kJson),
        timestamps(settings.timestamps) {}

  Output& output;
  Ring& ring;
  LineWriter writer;
  /// An epoll set of our own: pausing every pipe is not waiting for it, and an idle pipe costs no handler.
  boost::asio::posix::stream_descriptor poller;
  bool json;
  bool timestamps;
  bool waiting = false;
  Timestamp timestamp;
  std::unique_ptr<char[]> buffer;
  std::vector<Streams> units;           ///< by Source
  std::vector<LineObserver> observers;  ///< by Source
  std::string prefix;
  const CapturedPipe* open_line = nullptr;  ///< who began the line that the output has not ended

  bool open_poller();
  void wait();
  void turn();
  bool add(int fd, Source unit, Stream kind);
  void remove(CapturedPipe* stream);
  ReadResult read(CapturedPipe& stream);
  void read_out(CapturedPipe& stream);
  void split(CapturedPipe& stream, std::string_view data, std::chrono::system_clock::time_point now);
  void emit(CapturedPipe& stream, std::string_view first, std::string_view rest, bool whole,
            std::chrono::system_clock::time_point now);
  void emit_json(const CapturedPipe& stream, std::string_view first, std::string_view rest, bool whole);
  void show(CapturedPipe& stream, std::string_view text, bool whole);
  void end_partial(CapturedPipe& stream);
  void set_prefix(const CapturedPipe& stream, std::chrono::system_clock::time_point now);
  Streams& of(Source unit);
};

bool Capture::Impl::open_poller() {
  if (poller.is_open()) return true;
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  boost::system::error_code error;
  if (set >= 0) poller.assign(set, error);
  if (set >= 0 && error) ::close(set);
  return poller.is_open();
}

void Capture::Impl::wait() {
  if (waiting || output.full() || !poller.is_open()) return;
  waiting = true;
  poller.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      const auto self = weak.lock();
                      if (!self || error) return;
                      self->waiting = false;
                      try {
                        self->turn();
                      } catch (...) {  // these lines are lost; those to come are not
                        self->writer.discard();
                        self->wait();
                        throw;
                      }
                      self->wait();
                    });
}

void Capture::Impl::turn() {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(poller.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count && !output.full(); ++i) {
    auto* stream = static_cast<CapturedPipe*>(events[static_cast<std::size_t>(i)].data.ptr);
    ReadResult result = ReadResult::kMore;
    for (int reads = 0; reads < kReadsPerTurn && result == ReadResult::kMore && !output.full(); ++reads) {
      result = read(*stream);
    }
    if (result == ReadResult::kEmpty && stream->ended) end_partial(*stream);
    if (result == ReadResult::kEnd) remove(stream);
  }
}

bool Capture::Impl::add(int fd, Source unit, Stream kind) {
  auto stream = std::make_unique<CapturedPipe>(fd, unit, kind);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = stream.get();
  if (::epoll_ctl(poller.native_handle(), EPOLL_CTL_ADD, fd, &event) != 0) return false;
  stream->set = poller.native_handle();
  of(unit).push_back(std::move(stream));
  return true;
}

Capture::Impl::Streams& Capture::Impl::of(Source unit) {
  const auto at = static_cast<std::size_t>(unit);
  if (at >= units.size()) units.resize(at + 1);
  return units[at];
}

void Capture::Impl::remove(CapturedPipe* stream) {
  if (open_line == stream) open_line = nullptr;
  Streams& streams = of(stream->unit);
  streams.erase(std::remove_if(streams.begin(), streams.end(), [&](const auto& s) { return s.get() == stream; }),
                streams.end());
}

ReadResult Capture::Impl::read(CapturedPipe& stream) {
  if (!buffer) buffer = std::make_unique<char[]>(kReadBuffer);
  const ssize_t bytes = ::read(stream.fd, buffer.get(), kReadBuffer);
  if (bytes < 0) return errno == EINTR ? ReadResult::kMore : ReadResult::kEmpty;
  if (bytes == 0) {
    end_partial(stream);
    return ReadResult::kEnd;
  }
  const auto size = static_cast<std::size_t>(bytes);
  split(stream, {buffer.get(), size}, std::chrono::system_clock::now());
  writer.flush();
  if (size < kReadBuffer) return ReadResult::kMore;
  if (!std::exchange(stream.grown, true)) ::fcntl(stream.fd, F_SETPIPE_SZ, kBusyPipe);
  return ReadResult::kMore;
}

/// Reads what is in the pipe now, and no more than a pipe holds.
void Capture::Impl::read_out(CapturedPipe& stream) {
  ReadResult result = ReadResult::kMore;
  for (int reads = 0; reads < kDrainReads && result == ReadResult::kMore; ++reads) result = read(stream);
  if (result == ReadResult::kEnd) return remove(&stream);
  end_partial(stream);
}

void Capture::Impl::split(CapturedPipe& stream, std::string_view data, std::chrono::system_clock::time_point now) {
  set_prefix(stream, now);
  while (!data.empty()) {
    const auto* newline = static_cast<const char*>(std::memchr(data.data(), '\n', data.size()));
    const std::size_t room = kLongestLine - stream.partial.size();
    const std::size_t length = newline ? static_cast<std::size_t>(newline - data.data()) : data.size();
    if (!newline && length < room) {
      stream.partial += data;
      return;
    }
    const bool whole = newline && length <= room;
    const std::size_t taken = whole ? length + 1 : std::min(length, room);
    emit(stream, stream.partial, data.substr(0, taken), whole, now);
    if (!stream.partial.empty()) {
      writer.flush();  // it refers to the partial line
      std::string().swap(stream.partial);
    }
    data.remove_prefix(taken);
  }
}

void Capture::Impl::set_prefix(const CapturedPipe& stream, std::chrono::system_clock::time_point now) {
  prefix.clear();
  if (timestamps || json) prefix.append(timestamp.format(now));
  if (json) return;
  if (timestamps) prefix += ' ';
  append_escaped(prefix, ring.name(stream.unit));
  prefix += " | ";
}

/// One line, or with `whole` unset a piece of one. A whole line ends in its newline.
void Capture::Impl::emit(CapturedPipe& stream, std::string_view first, std::string_view rest, bool whole,
                         std::chrono::system_clock::time_point now) {
  if (json) {
    emit_json(stream, first, rest, whole);
  } else {
    const bool continues = open_line == &stream && !writer.at_line_start();
    if (!continues) {
      if (!writer.at_line_start()) writer.copy("\n");
      writer.copy(prefix);
    }
    writer.refer(first);
    writer.refer(rest);
    open_line = whole ? nullptr : &stream;
  }
  std::string_view text = rest;
  std::string joined;
  if (!first.empty()) {
    joined.append(first).append(rest);
    text = joined;
  }
  if (whole && !text.empty()) text.remove_suffix(1);
  ring.append({stream.unit, stream.kind, now, text});
  show(stream, text, whole);
}

/// What an ended process left behind says nothing about the one that may run now.
void Capture::Impl::show(CapturedPipe& stream, std::string_view text, bool whole) {
  const bool begins = !std::exchange(stream.in_long_line, !whole);
  const auto at = static_cast<std::size_t>(stream.unit);
  if (at >= observers.size() || !observers[at] || !begins || stream.ended) return;
  if (!observers[at](text)) observers[at] = nullptr;
}

void Capture::Impl::emit_json(const CapturedPipe& stream, std::string_view first, std::string_view rest, bool whole) {
  std::string line = "{\"time\":\"" + prefix + "\",\"level\":\"info\",\"unit\":\"";
  append_json(line, ring.name(stream.unit));
  line += stream.kind == Stream::kOut ? "\",\"event\":\"output\",\"stream\":\"stdout\",\"msg\":\""
                                      : "\",\"event\":\"output\",\"stream\":\"stderr\",\"msg\":\"";
  if (whole) rest.remove_suffix(1);
  if (first.empty()) {
    append_json(line, rest);
  } else {
    append_json(line, std::string(first).append(rest));
  }
  line += whole ? "\"}\n" : "\",\"partial\":true}\n";
  if (!writer.at_line_start()) writer.copy("\n");
  writer.copy(line);
}

void Capture::Impl::end_partial(CapturedPipe& stream) {
  const bool unfinished = open_line == &stream && !writer.at_line_start();
  if (!stream.partial.empty()) {
    const auto now = std::chrono::system_clock::now();
    set_prefix(stream, now);
    const std::string line = std::exchange(stream.partial, {}) + "\n";
    emit(stream, {}, line, true, now);
    writer.flush();  // it refers to the line
  } else if (unfinished) {
    writer.copy("\n");
    open_line = nullptr;
  }
  writer.flush();
}

Capture::Capture(boost::asio::io_context& context, Output& output, Ring& ring, const config::Logging& settings)
    : impl_(std::make_shared<Impl>(context, output, ring, settings)) {
  output.on_drain([weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto impl = weak.lock()) impl->wait();
  });
}

Capture::~Capture() = default;

Capture::ChildEnds Capture::open(Source unit) {
  if (impl_->output.full() && impl_->of(unit).size() < kKeptPipes) {
    drain(unit);
  } else {
    close(unit);
  }
  if (!impl_->open_poller()) return {};
  ChildEnds ends;
  const auto make = [&](Stream kind) {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) return -1;
    ::fcntl(both[0], F_SETFL, O_NONBLOCK);
    // A worker under another user may open /dev/stdout again.
    ::fchmod(both[1], 0622);
    if (impl_->add(both[0], unit, kind)) return both[1];
    ::close(both[1]);
    return -1;
  };
  ends.out = make(Stream::kOut);
  if (ends.out < 0) return {};
  ends.error = impl_->json ? make(Stream::kError) : ends.out;
  if (ends.error < 0) {
    const int error = errno;
    close(std::exchange(ends, {}));
    close(unit);
    errno = error;
    return {};
  }
  impl_->wait();
  return ends;
}

void Capture::close(const ChildEnds& ends) {
  if (ends.out >= 0) ::close(ends.out);
  if (ends.error >= 0 && ends.error != ends.out) ::close(ends.error);
}

void Capture::drain(Source unit) {
  std::vector<CapturedPipe*> streams;
  for (const auto& stream : impl_->of(unit)) streams.push_back(stream.get());
  for (CapturedPipe* stream : streams) {
    stream->ended = true;
    // With a stuck reader it stays in the pipe, and comes when the output drains.
    if (!impl_->output.full()) impl_->read_out(*stream);
  }
}

void Capture::observe(Source unit, LineObserver observer) {
  auto& observers = impl_->observers;
  const auto at = static_cast<std::size_t>(unit);
  if (at >= observers.size()) {
    if (!observer) return;
    observers.resize(at + 1);
  }
  observers[at] = std::move(observer);
}

void Capture::close(Source unit) {
  drain(unit);
  for (const auto& stream : impl_->of(unit)) {
    if (impl_->open_line == stream.get()) impl_->open_line = nullptr;
  }
  impl_->of(unit).clear();
}

}  // namespace slipway::logging
