#include "control/server.hpp"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

#include "control/peer.hpp"
#include "control/session.hpp"
#include "control/socket_file.hpp"

namespace slipway::control {

namespace asio = boost::asio;
using boost::asio::local::stream_protocol;

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(asio::io_context& context, ServerOptions given, Handler& with, PeerPolicy who, SocketFile made)
      : options(std::move(given)),
        handler(with),
        policy(who),
        file(std::move(made)),
        acceptor(context, stream_protocol(), file.release()),
        pause(context) {}

  void accept();
  void admit(stream_protocol::socket socket);
  [[nodiscard]] std::optional<boost::json::object> reason_to_refuse(int descriptor) const;
  void close();
  void look_again();

  ServerOptions options;
  Handler& handler;
  PeerPolicy policy;
  SocketFile file;
  stream_protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::unordered_map<const Session*, std::shared_ptr<Session>> sessions;
  std::vector<std::string> names;
  bool look_scheduled = false;
  bool closed = false;
};

void Server::Impl::accept() {
  acceptor.async_accept(
      [self = shared_from_this()](const boost::system::error_code& error, stream_protocol::socket socket) {
        if (self->closed) return;
        if (!error) {
          try {
            self->admit(std::move(socket));
          } catch (const std::exception&) {  // out of memory: this client goes without, PID 1 goes on
          }
          return self->accept();
        }
        // Out of descriptors, most likely: asking again at once would spin until somebody closes one.
        self->pause.expires_after(std::chrono::milliseconds(100));
        self->pause.async_wait([self](const boost::system::error_code& cancelled) {
          if (!cancelled && !self->closed) self->accept();
        });
      });
}

std::optional<boost::json::object> Server::Impl::reason_to_refuse(int descriptor) const {
  const auto peer = peer_of(descriptor);
  if (!peer) return refusal("forbidden", peer.error().message);
  if (!may_control(*peer, policy)) {
    return refusal("forbidden", "uid " + std::to_string(peer->uid) + " may not control this container: use root, uid " +
                                    std::to_string(policy.owner) + " or a member of control.group");
  }
  if (sessions.size() >= options.max_clients) {
    return refusal("busy", std::to_string(options.max_clients) + " clients are connected already: close one");
  }
  return std::nullopt;
}

void Server::Impl::admit(stream_protocol::socket socket) {
  if (const auto reason = reason_to_refuse(socket.native_handle())) {
    const std::string line = to_line(*reason);
    (void)::send(socket.native_handle(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  auto session =
      std::make_shared<Session>(std::move(socket), handler, options, [this](Session& gone) { sessions.erase(&gone); });
  sessions.emplace(session.get(), session);
  session->start();
}

void Server::Impl::close() {
  closed = true;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (const auto& [key, session] : sessions) session->close();
  sessions.clear();
}

void Server::Impl::look_again() {
  look_scheduled = false;
  std::vector<std::shared_ptr<Session>> waiting;  // an answer may end a session and so change the list
  for (const auto& [key, session] : sessions) {
    if (session->waiting()) waiting.push_back(session);
  }
  for (const auto& session : waiting) session->look_again();
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { impl_->close(); }

Result<std::unique_ptr<Server>> Server::listen(asio::io_context& context, const ServerOptions& options,
                                               Handler& handler) {
  PeerPolicy policy;
  policy.owner = geteuid();
  if (!options.group.empty()) {
    const auto group = find_group(options.group);
    if (!group) return tl::unexpected(group.error());
    policy.group = *group;
  }
  auto file = SocketFile::create(options.path, options.mode, policy.group);
  if (!file) return tl::unexpected(file.error());
  try {
    auto impl = std::make_shared<Impl>(context, options, handler, policy, std::move(*file));
    impl->accept();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
  } catch (const std::exception& error) {
    return failure(ExitCode::kInternal, options.path + ": control: " + error.what());
  }
}

void Server::notify_changed() {
  if (impl_->look_scheduled) return;
  bool waiting = false;
  for (const auto& [key, session] : impl_->sessions) waiting = waiting || session->waiting();
  if (!waiting) return;
  impl_->look_scheduled = true;
  asio::post(impl_->acceptor.get_executor(), [weak = std::weak_ptr<Impl>(impl_)] {
    const auto impl = weak.lock();
    if (impl && !impl->closed) impl->look_again();
  });
}

bool Server::followed() const {
  for (const auto& [key, session] : impl_->sessions) {
    if (session->following()) return true;
  }
  return false;
}

void Server::publish(std::size_t unit, std::string_view text) {
  std::string line;
  for (const auto& [key, session] : impl_->sessions) {
    if (!session->follows(unit)) continue;
    if (line.empty()) {
      if (impl_->names.empty()) impl_->names = unit_names(impl_->handler);
      const std::string_view name = unit < impl_->names.size() ? std::string_view(impl_->names[unit]) : "slipway";
      boost::json::object object;
      object["line"] = line_to_json(name, std::chrono::system_clock::now(), text);
      line = to_line(object);
    }
    session->deliver(line);
  }
}

std::size_t Server::clients() const { return impl_->sessions.size(); }

}  // namespace slipway::control
