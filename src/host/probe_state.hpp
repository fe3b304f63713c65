#pragma once
// What every running probe shares: one timer, one answer, and an owner who may give it up at any moment. Private to
// host.

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <utility>

#include "host/probe.hpp"

namespace slipway::host {

class ProbeState : public std::enable_shared_from_this<ProbeState> {
 public:
  ProbeState(boost::asio::io_context& context, ProbeHandler handler)
      : context_(context), timer_(context), handler_(std::move(handler)) {}
  virtual ~ProbeState() = default;

  /// The owner is gone: no answer any more.
  void abandon() {
    if (std::exchange(finished_, true)) return;
    handler_ = nullptr;
    timer_.cancel();
    release();
  }

 protected:
  /// Gives up sockets, children and the like; called once.
  virtual void release() = 0;

  /// The answer. Only the first counts.
  void finish(bool ok, std::string detail) {
    if (std::exchange(finished_, true)) return;
    timer_.cancel();
    release();
    std::exchange(handler_, nullptr)({ok, std::move(detail)});
  }
  /// The same from outside of the event loop.
  void finish_later(bool ok, std::string detail) {
    boost::asio::post(context_, [self = shared_from_this(), ok, text = std::move(detail)]() mutable {
      self->finish(ok, std::move(text));
    });
  }
  [[nodiscard]] bool finished() const { return finished_; }

  void limit(ProbeTimeout timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([weak = weak_from_this(), timeout](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (self && !error) self->finish(false, "no answer within " + std::to_string(timeout.count()) + " ms");
    });
  }

  boost::asio::io_context& context_;

 private:
  boost::asio::steady_timer timer_;
  ProbeHandler handler_;
  bool finished_ = false;
};

class ProbeOwner final : public Probe {
 public:
  explicit ProbeOwner(std::shared_ptr<ProbeState> state) : state_(std::move(state)) {}
  ~ProbeOwner() override { state_->abandon(); }

 private:
  std::shared_ptr<ProbeState> state_;
};

}  // namespace slipway::host
