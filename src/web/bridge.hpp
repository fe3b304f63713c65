#pragma once
// slipway-web's one connection to PID 1. However many HTTP requests arrive, at most one question is on its way, and an
// answer serves everyone who asked meanwhile: a flood of requests never becomes a flood for PID 1.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "config/error.hpp"
#include "control/snapshot.hpp"

namespace slipway::web {

struct BridgeOptions {
  std::chrono::milliseconds patience = std::chrono::seconds(2);         ///< for one answer
  std::chrono::milliseconds freshness = std::chrono::milliseconds(50);  ///< how old an answer may be
};

class Bridge {
 public:
  using Answer = std::shared_ptr<const Result<control::Snapshot>>;
  using Callback = std::function<void(const Answer&)>;

  /// Takes over a connected control socket and gives up, on it, the right to do more than look. `lost` is called once
  /// when the connection has ended: nothing can be answered from then on.
  Bridge(boost::asio::io_context& context, int descriptor, std::function<void()> lost, BridgeOptions options = {});
  ~Bridge();
  Bridge(const Bridge&) = delete;
  Bridge& operator=(const Bridge&) = delete;

  /// Never calls back before it returns.
  void fetch(Callback callback);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace slipway::web
