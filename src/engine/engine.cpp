#include "engine/engine.hpp"

#include <utility>

#include "engine/machine.hpp"

namespace slipway::engine {

struct Engine::Impl {
  Machine machine;
};

Engine::Engine(Plan plan, std::uint64_t seed) : impl_(std::make_unique<Impl>(Machine(std::move(plan), seed))) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

Commands Engine::handle(const Event& event, Instant now) { return impl_->machine.handle(event, now); }
std::optional<Instant> Engine::next_deadline() const { return impl_->machine.next_deadline(); }
const Plan& Engine::plan() const { return impl_->machine.plan(); }
const std::vector<UnitId>& Engine::order() const { return impl_->machine.order(); }
UnitView Engine::view(UnitId unit) const { return impl_->machine.view(unit); }
bool Engine::ready() const { return impl_->machine.ready(); }
bool Engine::stopping() const { return impl_->machine.stopping(); }
bool Engine::reloading() const { return impl_->machine.reloading(); }
bool Engine::finished() const { return impl_->machine.finished(); }

}  // namespace slipway::engine
