#include "web/bridge.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "control/protocol.hpp"

namespace slipway::web {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxReply = std::size_t{64} << 20;

Bridge::Answer failed(const char* what) {
  return std::make_shared<const Result<control::Snapshot>>(failure(ExitCode::kInternal, what));
}

std::string line_of(control::Operation operation) {
  control::Request request;
  request.operation = operation;
  return control::serialize(request);
}

}  // namespace

struct Bridge::Impl : std::enable_shared_from_this<Bridge::Impl> {
  Impl(asio::io_context& context, int descriptor, std::function<void()> when_lost, BridgeOptions given)
      : socket(context, asio::local::stream_protocol(), descriptor),
        deadline(context),
        lost(std::move(when_lost)),
        options(given) {}

  void say(control::Operation operation);
  void listen();
  void on_line(std::size_t size);
  void ask();
  void answer(const Answer& what);
  void close();

  asio::local::stream_protocol::socket socket;
  asio::steady_timer deadline;
  std::function<void()> lost;
  BridgeOptions options;
  std::string inbox;
  std::string outbox;
  std::vector<Callback> waiting;
  Answer latest;
  steady_clock::time_point latest_at;
  bool asked = false;
  bool observing = false;  ///< PID 1 has confirmed that this connection may only look
  bool closed = false;
};

void Bridge::Impl::say(control::Operation operation) {
  outbox = line_of(operation);
  asio::async_write(socket, asio::buffer(outbox),
                    [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                      if (error) self->close();
                    });
}

void Bridge::Impl::listen() {
  asio::async_read_until(socket, asio::dynamic_buffer(inbox, kMaxReply), '\n',
                         [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                           if (error) return self->close();
                           self->on_line(size);
                         });
}

void Bridge::Impl::on_line(std::size_t size) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(std::string_view(inbox).substr(0, size), error);
  inbox.erase(0, size);
  const boost::json::object* object = error ? nullptr : value.if_object();
  const boost::json::value* ok = object != nullptr ? object->if_contains("ok") : nullptr;
  // A refusal here (too many clients, not allowed) is final for this connection.
  if (ok == nullptr || !ok->is_bool() || !ok->get_bool()) return close();
  if (!observing) {
    observing = true;
    if (!waiting.empty()) ask();
  } else {
    asked = false;
    latest = std::make_shared<const Result<control::Snapshot>>(control::snapshot_from_json(*object));
    latest_at = steady_clock::now();
    answer(latest);
  }
  listen();
}

void Bridge::Impl::ask() {
  deadline.expires_after(options.patience);
  deadline.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && self->deadline.expiry() <= steady_clock::now()) self->answer(failed("no answer in time"));
  });
  if (asked || !observing) return;
  asked = true;
  say(control::Operation::kStatus);
}

void Bridge::Impl::answer(const Answer& what) {
  deadline.expires_at(steady_clock::time_point::max());
  for (const Callback& callback : std::exchange(waiting, {})) callback(what);
}

void Bridge::Impl::close() {
  if (std::exchange(closed, true)) return;
  boost::system::error_code ignored;
  socket.close(ignored);
  answer(failed("the connection is lost"));
  if (lost) lost();
}

Bridge::Bridge(asio::io_context& context, int descriptor, std::function<void()> lost, BridgeOptions options)
    : impl_(std::make_shared<Impl>(context, descriptor, std::move(lost), options)) {
  impl_->say(control::Operation::kObserve);
  impl_->listen();
}

Bridge::~Bridge() {
  impl_->lost = nullptr;
  impl_->waiting.clear();
  impl_->close();
}

void Bridge::fetch(Callback callback) {
  const bool fresh = impl_->latest && steady_clock::now() - impl_->latest_at < impl_->options.freshness;
  if (fresh || impl_->closed) {
    const Answer answer = impl_->closed ? failed("the connection is lost") : impl_->latest;
    asio::post(impl_->socket.get_executor(), [answer, callback = std::move(callback)] { callback(answer); });
    return;
  }
  const bool first = impl_->waiting.empty();
  impl_->waiting.push_back(std::move(callback));
  if (first) impl_->ask();
}

}  // namespace slipway::web
