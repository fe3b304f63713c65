#include "web/http_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <string>
#include <utility>

#include "web/routes.hpp"

namespace slipway::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

using Count = std::shared_ptr<std::size_t>;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Bridge& bridge, const HttpOptions& options, Count alive)
      : stream_(std::move(socket)),
        buffer_(options.max_header + 1),
        bridge_(bridge),
        options_(options),
        alive_(std::move(alive)) {
    ++*alive_;
  }
  ~Connection() { --*alive_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void read();

 private:
  void on_read(const beast::error_code& error);
  void serve();
  void reply(const Response& response, bool keep_alive);
  void on_written(const beast::error_code& error);

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  Bridge& bridge_;
  HttpOptions options_;
  Count alive_;
};

void Connection::read() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(options_.max_header));
  parser_->body_limit(0);
  stream_.expires_after(options_.patience);
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->on_read(error); });
}

void Connection::on_read(const beast::error_code& error) {
  if (!error) return serve();
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return reply({.status = 431, .body = "the request's header is too long\n"}, false);
  }
  if (error == http::error::body_limit || error == http::error::unexpected_body) {
    return reply({.status = 413, .body = "no body is expected\n"}, false);
  }
  // The deadline, a closed connection or no HTTP at all: only the last can be told.
  if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    reply({.status = 400, .body = "this is not HTTP\n"}, false);
  }
}

void Connection::serve() {
  const auto& request = parser_->get();
  const std::string method(request.method_string());
  const std::string target(request.target());
  const bool keep_alive = request.keep_alive();
  if (!needs_snapshot(method, target)) {
    return reply(respond(method, target, failure(ExitCode::kInternal, "")), keep_alive);
  }
  bridge_.fetch([self = shared_from_this(), method, target, keep_alive](const Bridge::Answer& answer) {
    self->reply(respond(method, target, *answer), keep_alive);
  });
}

void Connection::reply(const Response& response, bool keep_alive) {
  response_ = {};
  response_.version(11);
  response_.result(response.status);
  response_.set(http::field::server, "slipway");
  response_.set(http::field::content_type, response.content_type);
  response_.set(http::field::cache_control, "no-store");
  response_.set("X-Content-Type-Options", "nosniff");
  if (response.allow) response_.set(http::field::allow, "GET, HEAD");
  response_.body() = response.body;
  response_.keep_alive(keep_alive);
  response_.prepare_payload();
  serializer_.emplace(response_);
  stream_.expires_after(options_.patience);
  auto done = [self = shared_from_this()](const beast::error_code& error, std::size_t) { self->on_written(error); };
  if (parser_->get().method() == http::verb::head) {
    http::async_write_header(stream_, *serializer_, std::move(done));
  } else {
    http::async_write(stream_, *serializer_, std::move(done));
  }
}

void Connection::on_written(const beast::error_code& error) {
  if (error) return;
  if (response_.keep_alive()) return read();
  beast::error_code ignored;
  stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(asio::io_context& context, int listener, Bridge& to, HttpOptions given)
      : acceptor(context), pause(context), bridge(to), options(given), alive(std::make_shared<std::size_t>(0)) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    (void)getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), listener);
  }

  void accept();

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  Bridge& bridge;
  HttpOptions options;
  Count alive;
};

void HttpServer::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](const beast::error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !self->acceptor.is_open()) return;
    if (error) {  // out of descriptors: asking again at once would spin
      self->pause.expires_after(std::chrono::milliseconds(100));
      self->pause.async_wait([self](const beast::error_code& cancelled) {
        if (!cancelled && self->acceptor.is_open()) self->accept();
      });
      return;
    }
    // Beyond the limit a connection is closed unread: a probe that is refused tries again.
    if (*self->alive < self->options.max_connections) {
      std::make_shared<Connection>(std::move(socket), self->bridge, self->options, self->alive)->read();
    }
    self->accept();
  });
}

HttpServer::HttpServer(asio::io_context& context, int listener, Bridge& bridge, HttpOptions options)
    : impl_(std::make_shared<Impl>(context, listener, bridge, options)) {
  impl_->accept();
}

HttpServer::~HttpServer() {
  beast::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->pause.cancel();
}

std::size_t HttpServer::connections() const { return *impl_->alive; }

}  // namespace slipway::web
