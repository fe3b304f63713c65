#include "host/signals.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <sys/signalfd.h>
#include <utility>

#include "host/descriptor.hpp"

namespace slipway::host {
namespace {

sigset_t mask_of(const std::vector<int>& signals) {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : signals) ::sigaddset(&mask, signal);
  return mask;
}

}  // namespace

SignalSet supervisor_signals() {
  return {{SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH}, {SIGPIPE, SIGTTIN, SIGTTOU}};
}

SignalState current_signal_state() {
  SignalState state;
  ::sigprocmask(SIG_SETMASK, nullptr, &state.mask);
  ::sigemptyset(&state.ignored);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ::sigaddset(&state.ignored, signal);
  }
  return state;
}

struct Signals::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, Handler h) : descriptor(context), handler(std::move(h)) {}
  ~Impl() {
    for (const auto& [signal, action] : previous_actions) ::sigaction(signal, &action, nullptr);
    ::sigprocmask(SIG_SETMASK, &previous_mask, nullptr);
  }

  void wait() {
    descriptor.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                          [weak = weak_from_this()](const boost::system::error_code& error) {
                            const auto self = weak.lock();
                            if (!self || error) return;
                            const std::exception_ptr failure = self->read();
                            if (self.use_count() > 1) self->wait();
                            if (failure) std::rethrow_exception(failure);
                          });
  }

  /// One signal's failure is not another's.
  std::exception_ptr read() {
    std::array<signalfd_siginfo, 16> infos;
    ssize_t bytes = 0;
    do bytes = ::read(descriptor.native_handle(), infos.data(), sizeof infos);
    while (bytes < 0 && errno == EINTR);
    const std::size_t count = bytes > 0 ? static_cast<std::size_t>(bytes) / sizeof infos[0] : 0;
    std::exception_ptr failure;
    for (std::size_t i = 0; i < count; ++i) {
      try {
        handler(static_cast<int>(infos[i].ssi_signo));
      } catch (...) {
        failure = std::current_exception();
      }
    }
    return failure;
  }

  boost::asio::posix::stream_descriptor descriptor;
  Handler handler;
  sigset_t previous_mask{};
  std::vector<std::pair<int, struct sigaction>> previous_actions;
};

Signals::Signals(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Signals::Signals(Signals&&) noexcept = default;
Signals& Signals::operator=(Signals&&) noexcept = default;
Signals::~Signals() = default;

void Signals::hold(const SignalSet& set) {
  const sigset_t received = mask_of(set.received);
  ::sigprocmask(SIG_BLOCK, &received, nullptr);
}

Result<Signals> Signals::open(boost::asio::io_context& context, Handler handler, const SignalSet& set) {
  auto impl = std::make_shared<Impl>(context, std::move(handler));
  const sigset_t received = mask_of(set.received);
  ::sigprocmask(SIG_BLOCK, &received, &impl->previous_mask);
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  for (const int signal : set.ignored) {
    auto& [number, previous] = impl->previous_actions.emplace_back(signal, ignore);
    ::sigaction(number, &ignore, &previous);
  }
  // A parent that ignored SIGCHLD would make the kernel throw away our children's statuses.
  struct sigaction standard{};
  standard.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &standard, nullptr);

  const int fd = ::signalfd(-1, &received, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return failure(ExitCode::kInternal, std::string("signalfd: ") + ::strerror(errno));
  boost::system::error_code error;
  impl->descriptor.assign(fd, error);
  if (error) {
    ::close(fd);
    return failure(ExitCode::kInternal, "epoll: " + error.message());
  }
  impl->wait();
  return Signals(std::move(impl));
}

}  // namespace slipway::host
