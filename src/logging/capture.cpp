#include "logging/capture.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "logging/line_router.hpp"

namespace slipway::logging {
namespace {

constexpr std::size_t kReadBuffer = 256 * 1024;
constexpr int kReadsPerTurn = 4;
/// A pipe that is found half full gets more room, once: fewer switches between writer and reader.
constexpr int kBusyPipe = 256 * 1024;
constexpr std::size_t kBusy = 32 * 1024;
/// What a drain reads at most: a leftover writer that never pauses must not hold PID 1.
constexpr int kDrainReads = 4;

/// How many pipes of earlier starts wait, unread, for a stuck reader; what older ones hold is lost.
constexpr std::size_t kKeptPipes = 4;

/// The reading end of one pipe of one start of a unit.
struct CapturedPipe {
  int fd = -1;
  int set = -1;  ///< the epoll set it is in
  bool grown = false;
  LineState lines;

  CapturedPipe(int descriptor, Source source, Stream stream) : fd(descriptor) {
    lines.unit = source;
    lines.kind = stream;
  }
  CapturedPipe(const CapturedPipe&) = delete;
  CapturedPipe& operator=(const CapturedPipe&) = delete;
  ~CapturedPipe() {
    // Closing is not enough: a child between fork and exec still holds the pipe, and the set would go on naming us.
    if (set >= 0) ::epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
    ::close(fd);
  }
};

enum class ReadResult { kMore, kEmpty, kEnd };

/// An epoll set of our own: pausing every pipe in it is not waiting for it, and an idle pipe costs no handler.
struct PipeSet {
  PipeSet(boost::asio::io_context& context, bool paused_by_output) : poller(context), pauses(paused_by_output) {}

  boost::asio::posix::stream_descriptor poller;
  bool pauses;  ///< while the output is full
  bool waiting = false;

  bool open() {
    if (poller.is_open()) return true;
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    boost::system::error_code error;
    if (set >= 0) poller.assign(set, error);
    if (set >= 0 && error) ::close(set);
    return poller.is_open();
  }
};

}  // namespace

struct Capture::Impl : std::enable_shared_from_this<Impl> {
  using Streams = std::vector<std::unique_ptr<CapturedPipe>>;

  Impl(boost::asio::io_context& context, Output& out, Ring& ring, const config::Logging& settings)
      : output(out), router(out, ring, settings), patient(context, true), independent(context, false) {}

  Output& output;
  LineRouter router;
  PipeSet patient;
  PipeSet independent;
  std::unique_ptr<char[]> buffer;
  std::vector<Streams> units;  ///< by Source
  LostLines lost;

  [[nodiscard]] PipeSet& set_of(Source unit) { return router.independent(unit) ? independent : patient; }
  [[nodiscard]] bool stuck(const PipeSet& set) const { return set.pauses && output.full(); }
  void wait(PipeSet& set);
  void turn(PipeSet& set);
  void drained();
  int make_pipe(Source unit, Stream kind);
  bool add(int fd, Source unit, Stream kind);
  void remove(CapturedPipe* stream);
  ReadResult read(CapturedPipe& stream);
  void read_out(CapturedPipe& stream);
  void end_line(CapturedPipe& stream) { router.end_line(stream.lines, std::chrono::system_clock::now()); }
  Streams& of(Source unit);
};

void Capture::Impl::wait(PipeSet& set) {
  if (set.waiting || stuck(set) || !set.poller.is_open()) return;
  set.waiting = true;
  set.poller.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [weak = weak_from_this(), &set](const boost::system::error_code& error) {
                          const auto self = weak.lock();
                          if (!self || error) return;
                          set.waiting = false;
                          try {
                            self->turn(set);
                          } catch (...) {  // these lines are lost; those to come are not
                            self->router.discard();
                            self->wait(set);
                            throw;
                          }
                          self->wait(set);
                        });
}

void Capture::Impl::turn(PipeSet& set) {
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(set.poller.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count && !stuck(set); ++i) {
    auto* stream = static_cast<CapturedPipe*>(events[static_cast<std::size_t>(i)].data.ptr);
    ReadResult result = ReadResult::kMore;
    for (int reads = 0; reads < kReadsPerTurn && result == ReadResult::kMore && !stuck(set); ++reads) {
      result = read(*stream);
    }
    if (result == ReadResult::kEmpty && stream->lines.ended) end_line(*stream);
    if (result == ReadResult::kEnd) remove(stream);
  }
}

void Capture::Impl::drained() {
  router.report_lost(lost);
  wait(patient);
}

int Capture::Impl::make_pipe(Source unit, Stream kind) {
  int both[2];
  if (::pipe2(both, O_CLOEXEC) != 0) return -1;
  ::fcntl(both[0], F_SETFL, O_NONBLOCK);
  // A worker under another user may open /dev/stdout again.
  ::fchmod(both[1], 0622);
  if (add(both[0], unit, kind)) return both[1];
  ::close(both[1]);
  return -1;
}

bool Capture::Impl::add(int fd, Source unit, Stream kind) {
  auto stream = std::make_unique<CapturedPipe>(fd, unit, kind);
  PipeSet& place = set_of(unit);
  const int set = place.poller.native_handle();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = stream.get();
  if (::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  stream->set = set;
  stream->lines.waits = place.pauses;
  of(unit).push_back(std::move(stream));
  return true;
}

Capture::Impl::Streams& Capture::Impl::of(Source unit) {
  const auto at = static_cast<std::size_t>(unit);
  if (at >= units.size()) units.resize(at + 1);
  return units[at];
}

void Capture::Impl::remove(CapturedPipe* stream) {
  router.forget(stream->lines);
  Streams& streams = of(stream->lines.unit);
  streams.erase(std::remove_if(streams.begin(), streams.end(), [&](const auto& s) { return s.get() == stream; }),
                streams.end());
}

ReadResult Capture::Impl::read(CapturedPipe& stream) {
  if (!buffer) buffer = std::make_unique_for_overwrite<char[]>(kReadBuffer);
  const ssize_t bytes = ::read(stream.fd, buffer.get(), kReadBuffer);
  if (bytes < 0) return errno == EINTR ? ReadResult::kMore : ReadResult::kEmpty;
  if (bytes == 0) {
    end_line(stream);
    return ReadResult::kEnd;
  }
  const auto size = static_cast<std::size_t>(bytes);
  router.take(stream.lines, {buffer.get(), size}, std::chrono::system_clock::now());
  if (size >= kBusy && !std::exchange(stream.grown, true)) ::fcntl(stream.fd, F_SETPIPE_SZ, kBusyPipe);
  return ReadResult::kMore;
}

/// Reads what is in the pipe now, and no more than a pipe holds.
void Capture::Impl::read_out(CapturedPipe& stream) {
  ReadResult result = ReadResult::kMore;
  for (int reads = 0; reads < kDrainReads && result == ReadResult::kMore; ++reads) result = read(stream);
  if (result == ReadResult::kEnd) return remove(&stream);
  end_line(stream);
}

Capture::Capture(boost::asio::io_context& context, Output& output, Ring& ring, const config::Logging& settings)
    : impl_(std::make_shared<Impl>(context, output, ring, settings)) {
  output.on_drain([weak = std::weak_ptr<Impl>(impl_)] {
    if (const auto impl = weak.lock()) impl->drained();
  });
}

Capture::~Capture() = default;

void Capture::route(Source unit, const Route& route) { impl_->router.route(unit, route); }

void Capture::on_lost(LostLines callback) { impl_->lost = std::move(callback); }

Capture::ChildEnds Capture::open(Source unit) {
  PipeSet& set = impl_->set_of(unit);
  if (impl_->stuck(set) && impl_->of(unit).size() < kKeptPipes) {
    drain(unit);
  } else {
    close(unit);
  }
  return open_beside(unit);
}

Capture::ChildEnds Capture::open_beside(Source unit) {
  PipeSet& set = impl_->set_of(unit);
  if (!set.open()) return {};
  ChildEnds ends;
  ends.out = impl_->make_pipe(unit, Stream::kOut);
  if (ends.out < 0) return {};
  const bool apart = impl_->router.format_of(unit) == config::WorkerLogFormat::kJson;
  ends.error = apart ? impl_->make_pipe(unit, Stream::kError) : ends.out;
  if (ends.error < 0) {
    const int error = errno;
    close(std::exchange(ends, {}));
    errno = error;
    return {};
  }
  impl_->wait(set);
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
    stream->lines.ended = true;
    // With a stuck reader it stays in the pipe, and comes when the output drains.
    if (!impl_->stuck(impl_->set_of(unit))) impl_->read_out(*stream);
  }
}

void Capture::observe(Source unit, LineObserver observer) { impl_->router.observe(unit, std::move(observer)); }

void Capture::close(Source unit) {
  drain(unit);
  for (const auto& stream : impl_->of(unit)) impl_->router.forget(stream->lines);
  impl_->of(unit).clear();
}

}  // namespace slipway::logging
