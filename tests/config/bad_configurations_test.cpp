// Every file of bad_configurations/ is a configuration that must be refused with exactly the diagnostics in it:
// lines that begin with `#= ` are the expected output, `#$ NAME=value` sets a variable.

#include <algorithm>
#include <sstream>

#include "loading_fixture.hpp"

namespace slipway::config {
namespace {

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SLIPWAY_TEST_DATA "/bad_configurations"))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class BadConfiguration : public LoadingTest, public testing::WithParamInterface<std::string> {};

TEST_P(BadConfiguration, GivesExactlyTheseDiagnostics) {
  std::ifstream file(std::string(SLIPWAY_TEST_DATA "/bad_configurations/") + GetParam() + ".yaml");
  std::string text;
  std::string expected;
  StringMap environment;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#= ")) {
      expected += line.substr(3) + "\n";
    } else if (line.starts_with("#$ ")) {
      const std::size_t equals = line.find('=');
      environment[line.substr(3, equals - 3)] = line.substr(equals + 1);
    } else {
      text += line + "\n";
    }
  }
  EXPECT_EQ(bad(text, environment), expected);
}

INSTANTIATE_TEST_SUITE_P(All, BadConfiguration, testing::ValuesIn(case_names()),
                         [](const auto& entry) { return entry.param; });

TEST(BadConfigurations, AreAtLeastSixty) { EXPECT_GE(case_names().size(), 60U); }

}  // namespace
}  // namespace slipway::config
