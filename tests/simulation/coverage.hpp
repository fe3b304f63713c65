#pragma once
// Which rows of the state table (engine.hpp) a simulation went through, and how often.

#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace slipway::simulation {

class Coverage {
 public:
  Coverage();
  void count(engine::UnitState from, const engine::Event& event, bool concerns_unit, engine::UnitState to);
  /// One line per row of the table.
  [[nodiscard]] std::string table() const;
  /// Rows never reached; empty when all were.
  [[nodiscard]] std::string missing() const;

 private:
  std::vector<std::uint64_t> hits_;
};

}  // namespace slipway::simulation
