#include "supervisor/configuration_reader.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include "host/descriptor.hpp"
#include "host/launcher.hpp"

namespace slipway::supervisor {
namespace {

constexpr std::chrono::seconds kTimeLimit{30};
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

}  // namespace

struct ConfigurationReader::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& io, host::ChildTable& table, const Setup& from)
      : context(&io), children(&table), setup(&from), answers(io), timer(io) {}

  boost::asio::io_context* context;
  host::ChildTable* children;
  const Setup* setup;
  boost::asio::posix::stream_descriptor answers;
  boost::asio::steady_timer timer;
  host::Descriptor requests;
  std::array<char, 16384> buffer{};
  std::size_t received = 0;
  config::WordStream stream;
  std::vector<std::string> words;
  int pid = 0;
  ReadHandler read_done;
  WriteHandler write_done;
  std::uint64_t round = 0;  ///< handlers of an earlier child find another one

  [[nodiscard]] std::optional<Error> launch();
  void receive();
  void take_words();
  void take_answer();
  void limit_time();
  void fail(std::string what);
  void end();
};

std::optional<Error> ConfigurationReader::Impl::launch() {
  host::Pipe in = host::make_pipe();
  host::Pipe out = in.read ? host::make_pipe() : host::Pipe();
  if (!out.read) return Error{std::string("pipes: ") + std::strerror(errno), ExitCode::kInternal};
  host::Launch launch;
  launch.argv = {"/proc/self/exe", "read-configuration", setup->request.path};
  for (const auto& [name, value] : setup->request.environment) launch.environment.push_back(name + "=" + value);
  launch.stdin_fd = in.read.get();
  launch.stdout_fd = out.write.get();
  const auto started = host::Launcher(*children).launch(launch, [weak = weak_from_this()](const host::ChildExit& exit) {
    // Its number may be a stranger's from here on. What it said is still in the pipe.
    if (const auto self = weak.lock(); self && self->pid == exit.pid) self->pid = 0;
  });
  if (!started) return Error{started.error().message, ExitCode::kInternal};
  pid = *started;
  requests = std::move(in.write);
  boost::system::error_code error;
  answers.assign(out.read.get(), error);
  if (error) return Error{"epoll: " + error.message(), ExitCode::kInternal};
  static_cast<void>(out.read.release());
  return std::nullopt;
}

void ConfigurationReader::Impl::limit_time() {
  timer.expires_after(kTimeLimit);
  timer.async_wait([self = shared_from_this(), mine = round](const boost::system::error_code& error) {
    if (error || mine != self->round) return;
    self->fail("its files were not read or written within " + std::to_string(kTimeLimit.count()) +
               "s: is a file system stuck?");
  });
}

void ConfigurationReader::Impl::receive() {
  answers.async_read_some(boost::asio::buffer(buffer), [self = shared_from_this(), mine = round](
                                                           const boost::system::error_code& error, std::size_t size) {
    if (mine != self->round) return;
    if (error) return self->fail("the process that reads it ended early");
    self->received += size;
    if (self->received > kMostBytes) return self->fail("its files are larger than 64 MiB together");
    self->stream.add({self->buffer.data(), size});
    self->take_words();
    if (mine == self->round && (self->read_done || self->write_done)) self->receive();
  });
}

void ConfigurationReader::Impl::take_words() {
  while (auto word = stream.next()) {
    words.push_back(std::move(*word));
    const bool invalid = words.size() == 2 && words.front() == "invalid";
    if (write_done || invalid || (words.back() == "end" && words.size() % 3 == 2)) return take_answer();
  }
  if (stream.broken()) fail("the process that reads it does not make sense");
}

void ConfigurationReader::Impl::take_answer() {
  timer.cancel();
  const std::vector<std::string> answer = std::exchange(words, {});
  if (write_done) {
    const WriteHandler done = std::exchange(write_done, nullptr);
    if (answer.front().empty()) return done({});
    return done(failure(ExitCode::kConfiguration, answer.front()));
  }
  const ReadHandler done = std::exchange(read_done, nullptr);
  if (answer.front() == "invalid") return done(failure(ExitCode::kConfiguration, answer.back()));
  auto transcript = config::FileTranscript::from_words({answer.begin() + 1, answer.end() - 1});
  if (!transcript) return done(failure(ExitCode::kInternal, "the process that reads it does not make sense"));
  done(std::move(*transcript));
}

void ConfigurationReader::Impl::fail(std::string what) {
  const ReadHandler read = std::exchange(read_done, nullptr);
  const WriteHandler written = std::exchange(write_done, nullptr);
  end();
  const Error error{"the configuration cannot be read: " + std::move(what), ExitCode::kConfiguration};
  if (read) read(tl::unexpected(error));
  if (written) written(tl::unexpected(error));
}

void ConfigurationReader::Impl::end() {
  ++round;
  timer.cancel();
  boost::system::error_code ignored;
  if (answers.is_open()) answers.close(ignored);
  requests.reset();
  read_done = nullptr;
  write_done = nullptr;
  words.clear();
  stream = config::WordStream();
  received = 0;
  if (pid > 0) host::send_signal(std::exchange(pid, 0), SIGKILL, true);
}

ConfigurationReader::ConfigurationReader(boost::asio::io_context& context, host::ChildTable& children,
                                         const Setup& setup)
    : impl_(std::make_shared<Impl>(context, children, setup)) {}

ConfigurationReader::~ConfigurationReader() { impl_->end(); }

void ConfigurationReader::read(ReadHandler done) {
  Impl& impl = *impl_;
  impl.end();
  impl.read_done = std::move(done);
  if (const std::optional<Error> error = impl.launch()) {
    boost::asio::post(*impl.context, [self = impl_, mine = impl.round, what = error->message] {
      if (mine == self->round) self->fail(what);
    });
    return;
  }
  impl.limit_time();
  impl.receive();
}

void ConfigurationReader::write(WriteHandler done) {
  Impl& impl = *impl_;
  impl.write_done = std::move(done);
  const std::string request = config::encode_word("write");
  // A pipe takes so little at once, and its reader waits for it.
  const bool asked =
      ::write(impl.requests.get(), request.data(), request.size()) == static_cast<ssize_t>(request.size());
  if (!asked) {
    boost::asio::post(*impl.context, [self = impl_, mine = impl.round] {
      if (mine == self->round) self->fail("the process that reads it ended early");
    });
    return;
  }
  impl.limit_time();
  impl.receive();
}

void ConfigurationReader::end() { impl_->end(); }

}  // namespace slipway::supervisor
