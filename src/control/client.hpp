#pragma once
// The other end of the control socket, for the command line and slipway-web: one connection, plain blocking calls,
// each with a deadline. Not for PID 1.

#include <boost/json.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config/error.hpp"
#include "control/protocol.hpp"

namespace slipway::control {

/// How long a call may take; empty: for ever.
using Patience = std::optional<std::chrono::milliseconds>;

/// Move-only; the destructor closes the connection.
class Client {
 public:
  /// Errors: nothing is there, nobody answers, no permission (the message names who may).
  [[nodiscard]] static Result<Client> connect(const std::string& path);
  /// Takes over a connected descriptor.
  explicit Client(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  Client(Client&& other) noexcept;
  Client& operator=(Client&& other) noexcept;
  ~Client();

  /// Sends a request and waits for its reply. Errors: no reply in time, the connection ended (see ended()), or
  /// Slipway said no, in its words.
  [[nodiscard]] Result<boost::json::object> call(const Request& request, Patience patience);
  /// The next line of a followed log. Errors as in call().
  [[nodiscard]] Result<boost::json::object> next(Patience patience);

  [[nodiscard]] Result<Snapshot> status(Patience patience = std::chrono::seconds(10));

  /// The other side closed the connection: Slipway has stopped, or dropped this client.
  [[nodiscard]] bool ended() const { return ended_; }
  /// The last error was the deadline's.
  [[nodiscard]] bool timed_out() const { return timed_out_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Gives the descriptor up without closing it.
  [[nodiscard]] int release();

 private:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;
  Result<void> send_all(std::string_view bytes, Deadline deadline);
  Result<std::string> read_line(Deadline deadline);
  Result<void> wait_until(short events, Deadline deadline);
  tl::unexpected<Error> lost(std::string what);

  int descriptor_ = -1;
  std::string path_;
  std::string inbox_;
  std::size_t searched_ = 0;
  bool ended_ = false;
  bool timed_out_ = false;
};

}  // namespace slipway::control
