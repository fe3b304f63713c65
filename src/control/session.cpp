#include "control/session.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <utility>

namespace slipway::control {

namespace asio = boost::asio;

Session::Session(Socket socket, Handler& handler, const ServerOptions& options, std::function<void(Session&)> closed)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      handler_(handler),
      options_(options),
      closed_callback_(std::move(closed)) {}

void Session::start() {
  arm_deadline();
  read();
}

void Session::close() {
  if (closed_) return;
  closed_ = true;
  waiting_.reset();
  following_.reset();
  backlog_.reset();
  deadline_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Session::end() {
  if (closed_) return;
  close();
  closed_callback_(*this);
}

void Session::arm_deadline() {
  deadline_.expires_after(options_.stall_limit);
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->deadline_.expiry() <= std::chrono::steady_clock::now()) self->end();
  });
}

void Session::disarm_deadline() {
  // Not cancel(): an expiry that is already on its way must find that it no longer counts.
  deadline_.expires_at(asio::steady_timer::time_point::max());
}

template <typename Step>
void Session::guarded(Step step) {
  try {
    step();
  } catch (const std::exception&) {  // out of memory: this connection's problem, not PID 1's
    end();
  }
}

void Session::read() {
  // A full inbox while a request is under way: the rest stays in the kernel until there is room.
  if (reading_ || ending_ || closed_ || inbox_.size() > kMaxRequest) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                            self->reading_ = false;
                            if (self->closed_) return;
                            if (error) return self->end();
                            self->guarded([&] { self->on_read(size); });
                          });
}

void Session::on_read(std::size_t size) {
  inbox_.append(chunk_.data(), size);
  serve_next();
  read();
}

void Session::serve_next() {
  // One request at a time, the next only when the last reply has left: what is unread stays bounded by one reply.
  while (!closed_ && !ending_ && !writing_ && waiting_ == nullptr && !following_ && !backlog_) {
    const std::size_t end = inbox_.find('\n');
    if (end == std::string::npos ? inbox_.size() >= kMaxRequest : end >= kMaxRequest) {
      ending_ = true;
      return send(refusal("too_long", "request: longer than " + std::to_string(kMaxRequest) + " bytes"));
    }
    if (end == std::string::npos) return;
    const std::string line = inbox_.substr(0, end);
    inbox_.erase(0, end + 1);
    disarm_deadline();
    serve(line);
  }
}

void Session::serve(std::string_view line) {
  const auto request = parse_request(line);
  if (!request) {
    // Whoever does not speak the language is not listened to any longer.
    ending_ = true;
    return send(refusal("bad_request", request.error().message));
  }
  Outcome outcome = answer(*request, handler_, observer_);
  observer_ = observer_ || outcome.observe;
  waiting_ = std::move(outcome.waiting);
  following_ = std::move(outcome.following);
  backlog_ = std::move(outcome.backlog);
  if (outcome.reply) send(*outcome.reply);
}

void Session::look_again() {
  guarded([this] {
    if (waiting_ == nullptr) return;
    const auto reply = waiting_->look(handler_);
    if (!reply) return;
    waiting_.reset();
    send(*reply);
  });
}

bool Session::follows(std::size_t unit) const {
  if (!following_) return false;
  return unit < following_->units.size() ? following_->units[unit] : following_->slipway;
}

void Session::deliver(const std::string& line) {
  if (backlog_) {  // it will come in its turn
    ++behind_;
    return;
  }
  if (outbox_.size() - written_ + line.size() > options_.max_unread) {
    ++lost_lines_;
    return;
  }
  guarded([&] {
    outbox_ += line;
    write();
  });
}

void Session::send(const boost::json::object& reply) {
  outbox_ += to_line(reply);
  write();
}

void Session::write() {
  if (writing_ || closed_) return;
  if (written_ == outbox_.size()) {
    outbox_.clear();
    written_ = 0;
    disarm_deadline();
    if (ending_) return end();
    if (backlog_) return send_backlog();
    if (lost_lines_ > 0) return report_lost_lines();
    serve_next();
    return read();
  }
  writing_ = true;
  arm_deadline();
  // Asio tries the socket at once; the deadline only ever fires for a reader that has stopped reading.
  socket_.async_write_some(asio::buffer(outbox_.data() + written_, outbox_.size() - written_),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
                             self->writing_ = false;
                             if (self->closed_) return;
                             if (error) return self->end();
                             self->guarded([&] { self->on_written(size); });
                           });
}

void Session::on_written(std::size_t size) {
  written_ += size;
  write();
}

/// One part, when the one before has left: what waits here stays bounded, however much was asked for. A follower then
/// gets what has come since, and counts what was forgotten before it was his turn.
void Session::send_backlog() {
  if (backlog_->done()) {
    if (following_) lost_lines_ += expected_ - std::min(expected_, backlog_->given());
    expected_ = following_ ? std::exchange(behind_, 0) : 0;
    if (expected_ == 0) {
      backlog_.reset();
      return write();
    }
    backlog_->extend(handler_);
  }
  send(backlog_->next(handler_));
}

void Session::report_lost_lines() {
  boost::json::object object;
  object["lost_lines"] = std::exchange(lost_lines_, 0);
  send(object);
}

}  // namespace slipway::control
