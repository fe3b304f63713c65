#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "host/probe_state.hpp"

namespace slipway::host {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kLongestHead = 16 * 1024;

/// Where to try, in order; empty for a name, which we do not look up.
std::vector<tcp::endpoint> endpoints(std::string host, std::uint16_t port) {
  namespace ip = boost::asio::ip;
  if (host.empty() || host == "localhost") {
    return {{ip::address_v4::loopback(), port}, {ip::address_v6::loopback(), port}};
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  const auto address = ip::make_address(host, error);
  if (error) return {};
  return {{address, port}};
}

std::string to_string(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" + std::to_string(endpoint.port());
}

class TcpState : public ProbeState {
 public:
  TcpState(boost::asio::io_context& context, ProbeHandler handler)
      : ProbeState(context, std::move(handler)), socket_(context) {}

  void start(const std::string& host, std::uint16_t port, ProbeTimeout timeout) {
    endpoints_ = endpoints(host, port);
    if (endpoints_.empty()) {
      return finish_later(false,
                          "'" + host + "' is not an address: use an IP address or localhost, names are not looked up");
    }
    limit(timeout);
    connect();
  }

 protected:
  virtual void connected() { finish(true, {}); }
  void release() override {
    error_code ignored;
    socket_.close(ignored);
  }
  std::shared_ptr<TcpState> self() { return std::static_pointer_cast<TcpState>(shared_from_this()); }

  tcp::socket socket_;

 private:
  void connect() {
    socket_.async_connect(endpoints_[next_], [self = self()](error_code error) { self->connect_done(error); });
  }

  void connect_done(error_code error) {
    if (finished()) return;
    error_code unknown;
    // A port of the ephemeral range nobody listens on can connect to itself.
    if (!error && socket_.local_endpoint(unknown) == socket_.remote_endpoint(unknown)) {
      error = boost::asio::error::connection_refused;
    }
    if (!error) return connected();
    if (!failure_.empty()) failure_ += ", ";
    failure_ += "connect to " + to_string(endpoints_[next_]) + ": " + error.message();
    if (++next_ == endpoints_.size()) return finish(false, failure_);
    error_code ignored;
    socket_.close(ignored);
    connect();
  }

  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  std::string failure_;
};

struct Url {
  std::string host;
  std::uint16_t port = 80;
  std::string authority;
  std::string target;
};

std::optional<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return {};
  text.remove_prefix(kScheme.size());
  text = text.substr(0, text.find('#'));
  const std::size_t path = std::min(text.find_first_of("/?"), text.size());
  Url url;
  url.authority = text.substr(0, path);
  url.target = text.substr(path);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  const std::size_t bracket = url.authority.rfind(']');
  const std::size_t colon = url.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  url.host = url.authority.substr(0, colon);
  if (colon != std::string::npos) {
    const char* begin = url.authority.data() + colon + 1;
    const char* end = url.authority.data() + url.authority.size();
    const auto [stop, error] = std::from_chars(begin, end, url.port);
    if (error != std::errc() || stop != end) return {};
  }
  const auto unsafe = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; };
  if (url.host.empty() || url.host.find('@') != std::string::npos) return {};
  if (std::any_of(url.target.begin(), url.target.end(), unsafe)) return {};
  return url;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return (x | 32) == (y | 32); });
}

/// The GET request; empty when a header would break it.
std::string request(const Url& url, const config::StringMap& headers) {
  std::string text = "GET " + url.target + " HTTP/1.1\r\n";
  const auto given = [&](std::string_view name) {
    return std::any_of(headers.begin(), headers.end(),
                       [&](const auto& header) { return same_name(header.first, name); });
  };
  if (!given("Host")) text += "Host: " + url.authority + "\r\n";
  if (!given("User-Agent")) text += "User-Agent: slipway\r\n";
  if (!given("Accept")) text += "Accept: */*\r\n";
  text += "Connection: close\r\n";
  for (const auto& [name, value] : headers) {
    if (name.empty() || name.find_first_of("\r\n: ") != std::string::npos) return {};
    if (value.find_first_of("\r\n") != std::string::npos) return {};
    if (!same_name(name, "Connection")) text += name + ": " + value + "\r\n";
  }
  return text + "\r\n";
}

class HttpState final : public TcpState {
 public:
  using TcpState::TcpState;

  void begin(const config::HttpProbe& probe, ProbeTimeout timeout) {
    const auto url = parse_url(probe.url);
    if (!url) return finish_later(false, "'" + probe.url + "' is not a URL of the form http://127.0.0.1:8000/path");
    request_ = request(*url, probe.headers);
    if (request_.empty()) return finish_later(false, "a header's name or value holds a line break");
    accepted_ = probe.status;
    start(url->host, url->port, timeout);
  }

 private:
  std::shared_ptr<HttpState> self() { return std::static_pointer_cast<HttpState>(shared_from_this()); }

  void connected() override {
    boost::asio::async_write(socket_, boost::asio::buffer(request_), [self = self()](error_code error, std::size_t) {
      if (self->finished()) return;
      if (error) return self->finish(false, "sending the request: " + error.message());
      self->read();
    });
  }

  void read() {
    socket_.async_read_some(boost::asio::buffer(chunk_), [self = self()](error_code error, std::size_t bytes) {
      if (self->finished()) return;
      self->head_.append(self->chunk_.data(), bytes);
      if (self->judge()) return;
      if (error) return self->finish(false, "the connection ended before an HTTP answer: " + error.message());
      if (self->head_.size() > kLongestHead) return self->finish(false, "the answer's head is longer than 16 KiB");
      self->read();
    });
  }

  /// True when the answer is known. Informational answers (1xx) precede the real one.
  bool judge() {
    for (;;) {
      const std::size_t end = head_.find('\n');
      if (end == std::string::npos) return false;
      std::string_view line(head_.data(), end);
      unsigned status = 0;
      if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' ||
          std::from_chars(line.data() + 9, line.data() + 12, status).ptr != line.data() + 12 || status < 100) {
        finish(false, "the answer is not HTTP");
        return true;
      }
      if (status >= 200) {
        const bool listed = std::find(accepted_.begin(), accepted_.end(), status) != accepted_.end();
        const bool ok = accepted_.empty() ? status < 400 : listed;
        finish(ok, ok ? std::string() : "HTTP status " + std::to_string(status));
        return true;
      }
      const std::size_t blank = head_.find("\r\n\r\n");
      if (blank == std::string::npos) return false;
      head_.erase(0, blank + 4);
    }
  }

  std::string request_;
  std::vector<unsigned> accepted_;
  std::string head_;
  std::array<char, 2048> chunk_;
};

}  // namespace

std::unique_ptr<Probe> start_tcp_probe(boost::asio::io_context& context, const config::TcpProbe& probe,
                                       ProbeTimeout timeout, ProbeHandler handler) {
  const auto state = std::make_shared<TcpState>(context, std::move(handler));
  state->start(probe.host, probe.port, timeout);
  return std::make_unique<ProbeOwner>(state);
}

std::unique_ptr<Probe> start_http_probe(boost::asio::io_context& context, const config::HttpProbe& probe,
                                        ProbeTimeout timeout, ProbeHandler handler) {
  const auto state = std::make_shared<HttpState>(context, std::move(handler));
  state->begin(probe, timeout);
  return std::make_unique<ProbeOwner>(state);
}

}  // namespace slipway::host
