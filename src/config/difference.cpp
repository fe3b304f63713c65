#include "config/difference.hpp"

#include <tuple>

#include "config/schema/configuration.hpp"

namespace slipway::config {
namespace {

template <typename Struct>
std::vector<std::string> differing(const Struct& left, const Struct& right) {
  std::vector<std::string> names;
  const auto compare = [&](const auto& field) {
    if (!(left.*(field.member) == right.*(field.member))) names.emplace_back(field.key);
  };
  std::apply([&](const auto&... field) { (compare(field), ...); }, Schema<Struct>::fields);
  return names;
}

}  // namespace

std::vector<std::string> changed_keys(const Worker& left, const Worker& right) { return differing(left, right); }

std::vector<std::string> changed_sections(const Configuration& left, const Configuration& right) {
  return differing(left, right);
}

}  // namespace slipway::config
