// A million random events a run. SLIPWAY_SIM_SEED replays one run with its trace, SLIPWAY_SIM_EVENTS sets how many
// events there are.
#include "simulation.hpp"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

namespace slipway::simulation {
namespace {

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::string complaint(std::uint64_t seed, const Violation& violation) {
  return "invariant " + std::to_string(violation.invariant) + ": " + violation.what +
         "\n  replay with SLIPWAY_SIM_SEED=" + std::to_string(seed);
}

TEST(Simulation, KeepsTheInvariantsThroughAMillionRandomEvents) {
  if (const auto replay = number_from("SLIPWAY_SIM_SEED")) {
    RunOptions options;
    options.trace = true;
    const RunResult result = run(*replay, options);
    EXPECT_FALSE(result.violation) << complaint(*replay, *result.violation);
    return;
  }
  const std::uint64_t wanted = number_from("SLIPWAY_SIM_EVENTS").value_or(1'000'000);
  const std::uint64_t first = std::random_device{}();
  Coverage coverage;
  std::uint64_t events = 0;
  std::uint64_t commands = 0;
  std::uint64_t runs = 0;
  for (std::uint64_t seed = first; events < wanted; ++seed, ++runs) {
    RunOptions options;
    if (runs % 2 == 0) options.coverage = &coverage;  // counting costs more than simulating
    const RunResult result = run(seed, options);
    ASSERT_FALSE(result.violation) << complaint(seed, *result.violation);
    events += result.events;
    commands += result.commands;
  }
  std::printf(
      "%llu events, %llu commands, %llu containers, first seed %llu; rows of the state table in every second:\n%s",
      static_cast<unsigned long long>(events), static_cast<unsigned long long>(commands),
      static_cast<unsigned long long>(runs), static_cast<unsigned long long>(first), coverage.table().c_str());
  if (wanted < 1'000'000) return;
  EXPECT_EQ(coverage.missing(), "") << "rows of the state table were never reached";
}

TEST(Simulation, IsReproducible) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    EXPECT_EQ(run(seed, {}).fingerprint, run(seed, {}).fingerprint) << seed;
  }
}

class MutationTest : public testing::TestWithParam<MutationCase> {};

/// The fault is put into many containers; wherever it took effect, exactly its invariant must be reported.
TEST_P(MutationTest, IsCaught) {
  const MutationCase& mutation = GetParam();
  int injected = 0;
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 3000 && injected < 50; ++seed) {
    const auto fault = mutation.make();
    RunOptions options;
    options.mutation = fault.get();
    options.boot_plan = mutation.needs_boot_plan;
    const RunResult result = run(seed, options);
    if (!result.mutated) continue;
    ++injected;
    if (!result.violation) {
      ADD_FAILURE() << "seed " << seed << ": the fault went unnoticed";
      continue;
    }
    EXPECT_EQ(result.violation->invariant, mutation.invariant) << "seed " << seed << ": " << result.violation->what;
    if (result.violation->invariant == mutation.invariant) ++caught;
  }
  std::printf("invariant %d: %d of %d faulty containers caught\n", mutation.invariant, caught, injected);
  EXPECT_GE(injected, 20) << "too few containers got the fault";
}

INSTANTIATE_TEST_SUITE_P(Simulation, MutationTest, testing::ValuesIn(mutation_cases()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace

void PrintTo(const MutationCase& mutation, std::ostream* out) { *out << mutation.name; }

}  // namespace slipway::simulation
