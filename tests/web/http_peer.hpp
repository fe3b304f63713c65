#pragma once
// The other end of an HTTP connection, byte by byte: what it sends is up to the test.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::web {

inline std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

/// A listening socket on a loopback port of the kernel's choice.
inline int loopback_listener() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener, 128), 0);
  return listener;
}

class HttpPeer {
 public:
  explicit HttpPeer(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    connected_ = connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpPeer() { close(descriptor_); }
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void say(std::string_view bytes) const { (void)send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  /// Everything until the other side closes.
  [[nodiscard]] std::string drain() const {
    std::string all;
    char chunk[4096];
    for (;;) {
      pollfd entry{descriptor_, POLLIN, 0};
      if (poll(&entry, 1, 20000) != 1) return all + "<still open>";
      const ssize_t size = read(descriptor_, chunk, sizeof chunk);
      if (size <= 0) return all;
      all.append(chunk, static_cast<std::size_t>(size));
    }
  }
  /// One request on a connection of its own.
  static std::string ask(std::uint16_t port, const std::string& method, const std::string& target) {
    const HttpPeer peer(port);
    peer.say(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return peer.drain();
  }

 private:
  int descriptor_ = -1;
  bool connected_ = false;
};

}  // namespace slipway::web
