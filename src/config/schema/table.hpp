#pragma once
// How a schema is written: Schema<T>::fields lists a struct's keys, Words<E>::words an enumeration's. Everything is
// constexpr data; describe.hpp turns it into Types.

#include <array>
#include <string_view>
#include <tuple>

#include "config/schema/type.hpp"

namespace slipway::config {

template <typename Struct>
struct Schema;
template <typename Enum>
struct Words;

template <typename Enum>
struct EnumWord {
  std::string_view text;
  Enum value;
  bool alias = false;
};

/// One key of a struct. The modifiers return a changed copy, so that they read like a sentence in the table.
template <typename Struct, typename Member>
struct Key {
  std::string_view key;
  Member Struct::* member;
  std::string_view help;
  bool required = false;
  Rules rules{};
  bool has_kind = false;
  Kind kind = Kind::kText;

  [[nodiscard]] constexpr Key range(long long minimum, long long maximum) const {
    Key copy = *this;
    copy.rules.minimum = minimum;
    copy.rules.maximum = maximum;
    return copy;
  }
  [[nodiscard]] constexpr Key positive() const {
    Key copy = *this;
    copy.rules.positive = true;
    return copy;
  }
  [[nodiscard]] constexpr Key form(TextForm form) const {
    Key copy = *this;
    copy.rules.form = form;
    return copy;
  }
  [[nodiscard]] constexpr Key keys(KeyStyle style) const {
    Key copy = *this;
    copy.rules.keys = style;
    return copy;
  }
  [[nodiscard]] constexpr Key one_or_list() const {
    Key copy = *this;
    copy.rules.one_or_list = true;
    return copy;
  }
  [[nodiscard]] constexpr Key variables() const {
    Key copy = keys(KeyStyle::kAsWritten);
    copy.rules.variables = true;
    return copy;
  }
  [[nodiscard]] constexpr Key names_or_map() const {
    Key copy = *this;
    copy.rules.names_or_map = true;
    return copy;
  }
  [[nodiscard]] constexpr Key worker_names() const {
    Key copy = *this;
    copy.rules.worker_names = true;
    return copy;
  }
  [[nodiscard]] constexpr Key as(Kind notation) const {
    Key copy = *this;
    copy.has_kind = true;
    copy.kind = notation;
    return copy;
  }
};

template <typename Struct, typename Member>
constexpr Key<Struct, Member> required(std::string_view key, Member Struct::* member, std::string_view help) {
  return {key, member, help, true};
}
template <typename Struct, typename Member>
constexpr Key<Struct, Member> optional(std::string_view key, Member Struct::* member, std::string_view help) {
  return {key, member, help, false};
}

}  // namespace slipway::config
