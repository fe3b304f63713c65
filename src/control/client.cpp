#include "control/client.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace slipway::control {
namespace {

constexpr std::size_t kMaxReply = std::size_t{64} << 20;

std::string refused_connection(const std::string& path, int error) {
  if (error == ENOENT || error == ECONNREFUSED || error == ENOTDIR) {
    return "no Slipway runs here (" + path + "): start it with `slipway run`, or name its socket with --socket";
  }
  if (error == EACCES || error == EPERM) {
    struct stat info{};
    std::string who = "root";
    if (stat(path.c_str(), &info) == 0 && info.st_uid != 0) who = "root or uid " + std::to_string(info.st_uid);
    return path + ": permission denied for uid " + std::to_string(geteuid()) + ": run this as " + who;
  }
  return path + ": " + std::strerror(error);
}

int connect_to(const std::string& path) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  const int error = errno;
  close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

Client::Client(Client&& other) noexcept { *this = std::move(other); }

Client& Client::operator=(Client&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  path_ = std::move(other.path_);
  inbox_ = std::move(other.inbox_);
  searched_ = other.searched_;
  ended_ = other.ended_;
  timed_out_ = other.timed_out_;
  return *this;
}

Client::~Client() {
  if (descriptor_ >= 0) close(descriptor_);
}

int Client::release() { return std::exchange(descriptor_, -1); }

Result<Client> Client::connect(const std::string& path) {
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path)) {
    return failure(ExitCode::kUsage, "control socket: a path of 1 to 107 bytes is needed, got " +
                                         std::to_string(path.size()) + ": check --socket and control.socket");
  }
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (;;) {
    const int descriptor = connect_to(path);
    if (descriptor >= 0) return Client(descriptor, path);
    const int error = errno;
    // A full backlog has no event to wait for on a UNIX socket; PID 1 empties it within a turn of its loop.
    if (error == EAGAIN && std::chrono::steady_clock::now() < give_up) {
      (void)poll(nullptr, 0, 5);
      continue;
    }
    const bool denied = error == EACCES || error == EPERM;
    return failure(denied ? ExitCode::kPermission : ExitCode::kInternal, refused_connection(path, error));
  }
}

Result<boost::json::object> Client::call(const Request& request, Patience patience) {
  Deadline deadline;
  if (patience) deadline = std::chrono::steady_clock::now() + *patience;
  timed_out_ = false;
  // A refusal may arrive before the request has left (a busy server closes at once): then the reply says why.
  const auto sent = send_all(serialize(request), deadline);
  if (!sent && !ended_) return tl::unexpected(sent.error());
  std::optional<std::chrono::milliseconds> left;
  if (deadline) {
    left = std::chrono::duration_cast<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
  }
  return next(left);
}

Result<boost::json::object> Client::next(Patience patience) {
  Deadline deadline;
  if (patience) deadline = std::chrono::steady_clock::now() + *patience;
  timed_out_ = false;
  const auto line = read_line(deadline);
  if (!line) return tl::unexpected(line.error());
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(*line, error);
  if (error || !value.is_object()) {
    return failure(ExitCode::kInternal, path_ + ": the reply is not Slipway's: does another program listen there?");
  }
  boost::json::object& object = value.get_object();
  const boost::json::value* ok = object.if_contains("ok");
  if (ok == nullptr || !ok->is_bool() || ok->get_bool()) return std::move(object);
  const boost::json::value* text = object.if_contains("error");
  const boost::json::value* code = object.if_contains("code");
  const bool forbidden = code != nullptr && code->is_string() && code->get_string() == "forbidden";
  return failure(forbidden ? ExitCode::kPermission : ExitCode::kInternal,
                 text != nullptr && text->is_string() ? std::string(text->get_string()) : "refused");
}

Result<Snapshot> Client::status(Patience patience) {
  const auto reply = call(Request{}, patience);
  if (!reply) return tl::unexpected(reply.error());
  return snapshot_from_json(*reply);
}

Result<void> Client::send_all(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (auto waited = wait_until(POLLOUT, deadline); !waited) return waited;
    } else if (errno != EINTR) {
      return lost(std::strerror(errno));
    }
  }
  return {};
}

Result<std::string> Client::read_line(Deadline deadline) {
  for (;;) {
    const std::size_t end = inbox_.find('\n', searched_);
    if (end != std::string::npos) {
      std::string line = inbox_.substr(0, end);
      inbox_.erase(0, end + 1);
      searched_ = 0;
      return line;
    }
    searched_ = inbox_.size();
    if (inbox_.size() > kMaxReply) return lost("a reply without an end");
    char chunk[16384];
    const ssize_t size = recv(descriptor_, chunk, sizeof chunk, MSG_DONTWAIT);
    if (size > 0) {
      inbox_.append(chunk, static_cast<std::size_t>(size));
    } else if (size == 0) {
      return lost("Slipway closed the connection");
    } else if (errno == EAGAIN) {
      if (auto waited = wait_until(POLLIN, deadline); !waited) return tl::unexpected(waited.error());
    } else if (errno != EINTR) {
      return lost(std::strerror(errno));
    }
  }
}

Result<void> Client::wait_until(short events, Deadline deadline) {
  pollfd entry{descriptor_, events, 0};
  int timeout = -1;
  if (deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      timed_out_ = true;
      return failure(ExitCode::kInternal, path_ + ": no answer in time");
    }
    timeout = static_cast<int>(std::min<std::chrono::milliseconds::rep>(left.count(), 1 << 30));
  }
  (void)poll(&entry, 1, timeout);
  return {};
}

tl::unexpected<Error> Client::lost(std::string what) {
  ended_ = true;
  return failure(ExitCode::kInternal, path_ + ": connection lost: " + std::move(what));
}

}  // namespace slipway::control
