#pragma once
// Where the parts of the supervisor hand in what they saw.

#include <functional>

#include "engine/messages.hpp"

namespace slipway::supervisor {

/// May be called from within the performing of a command: events are queued and taken in order.
using EventSink = std::function<void(engine::Event)>;

}  // namespace slipway::supervisor
