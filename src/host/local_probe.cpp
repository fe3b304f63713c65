#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/descriptor.hpp"
#include "host/probe_state.hpp"

namespace slipway::host {
namespace {

constexpr std::size_t kLongestDetail = 200;

class ExecState final : public ProbeState {
 public:
  ExecState(boost::asio::io_context& context, ChildTable& children, ProbeHandler handler)
      : ProbeState(context, std::move(handler)), children_(children), output_(context) {}

  void start(Launch launch, ProbeTimeout timeout) {
    Descriptor write_end;
    if (launch.stdout_fd < 0 && launch.stderr_fd < 0) {
      write_end = open_output();
      launch.stdout_fd = launch.stderr_fd = write_end.get();
    }
    const std::weak_ptr<ExecState> weak = std::static_pointer_cast<ExecState>(shared_from_this());
    const auto pid = Launcher(children_).launch(launch, [weak](const ChildExit& exit) {
      if (const auto self = weak.lock()) self->exited(exit);
    });
    if (!pid) return finish_later(false, pid.error().message);
    pid_ = *pid;
    limit(timeout);
    if (output_.is_open()) read();
  }

 protected:
  void release() override {
    boost::system::error_code ignored;
    output_.close(ignored);
    if (pid_ == 0) return;
    send_signal(pid_, SIGKILL, true);
    children_.forget(std::exchange(pid_, 0));
  }

 private:
  Descriptor open_output() {
    Pipe pipe = make_pipe();
    boost::system::error_code error;
    if (!pipe.read) return {};
    ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
    output_.assign(pipe.read.get(), error);
    if (error) return {};
    (void)pipe.read.release();
    return std::move(pipe.write);
  }

  void read() {
    const auto self = std::static_pointer_cast<ExecState>(shared_from_this());
    output_.async_read_some(boost::asio::buffer(chunk_), [self](boost::system::error_code error, std::size_t bytes) {
      if (self->finished() || error) return;
      self->keep(bytes);
      self->read();
    });
  }

  /// All is read, so that the command never waits for us; the beginning is kept.
  void keep(std::size_t bytes) {
    text_.append(chunk_.data(), std::min(bytes, 2 * kLongestDetail - std::min(text_.size(), 2 * kLongestDetail)));
  }

  void exited(const ChildExit& exit) {
    const int pid = std::exchange(pid_, 0);
    if (exit.group_alive) send_signal(pid, SIGKILL, true);
    if (output_.is_open()) {
      // Not read_some(): Asio waits for more where the descriptor says EAGAIN, and a daemon of the command's may hold
      // the other end for ever.
      const ssize_t bytes = ::read(output_.native_handle(), chunk_.data(), chunk_.size());
      if (bytes > 0) keep(static_cast<std::size_t>(bytes));
    }
    if (exit.status.success()) return finish(true, {});
    const std::string line = text_.substr(0, std::min(text_.find('\n'), kLongestDetail));
    finish(false, to_string(exit.status) + (line.empty() ? "" : ": " + line));
  }

  ChildTable& children_;
  boost::asio::posix::stream_descriptor output_;
  std::array<char, 1024> chunk_;
  std::string text_;
  int pid_ = 0;
};

class FileState final : public ProbeState {
 public:
  using ProbeState::ProbeState;

  void start(const config::FileProbe& probe) {
    struct stat status{};
    if (::stat(probe.path.c_str(), &status) != 0) return finish_later(false, probe.path + ": " + ::strerror(errno));
    const auto modified =
        std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now() - modified);
    const bool stale = probe.max_age.count() > 0 && age > probe.max_age;
    finish_later(!stale, stale ? probe.path + ": last written " + std::to_string(age.count()) +
                                     " ms ago, allowed are " + std::to_string(probe.max_age.count()) + " ms"
                               : std::string());
  }

 protected:
  void release() override {}
};

}  // namespace

std::unique_ptr<Probe> start_exec_probe(boost::asio::io_context& context, ChildTable& children, const Launch& launch,
                                        ProbeTimeout timeout, ProbeHandler handler) {
  const auto state = std::make_shared<ExecState>(context, children, std::move(handler));
  state->start(launch, timeout);
  return std::make_unique<ProbeOwner>(state);
}

std::unique_ptr<Probe> start_file_probe(boost::asio::io_context& context, const config::FileProbe& probe,
                                        ProbeHandler handler) {
  const auto state = std::make_shared<FileState>(context, std::move(handler));
  state->start(probe);
  return std::make_unique<ProbeOwner>(state);
}

}  // namespace slipway::host
