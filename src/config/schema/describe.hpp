#pragma once
// Turns the constexpr tables into Types. A template per kind of member; included by the few files that define a
// part of the schema.

#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>

#include "config/schema/table.hpp"

namespace slipway::config {

template <typename T>
const Type& type_of();

namespace detail {

template <typename T>
struct OptionalOf : std::false_type {};
template <typename T>
struct OptionalOf<std::optional<T>> : std::true_type {};
template <typename T>
struct ListOf : std::false_type {};
template <typename T>
struct ListOf<std::vector<T>> : std::true_type {};
template <typename T>
struct MapOf : std::false_type {};
template <typename T>
struct MapOf<std::map<std::string, T>> : std::true_type {};

template <typename T>
concept HasSchema = requires { Schema<T>::fields; };

/// How a scalar type travels in a Value.
template <typename T>
struct Scalar {
  using Stored = T;
  static constexpr Kind kind() {
    if constexpr (std::is_enum_v<T>) return Kind::kWord;
    if constexpr (std::is_same_v<T, bool>) return Kind::kBoolean;
    if constexpr (std::is_integral_v<T>) return Kind::kInteger;
    if constexpr (std::is_same_v<T, double>) return Kind::kNumber;
    if constexpr (std::is_same_v<T, std::string>) return Kind::kText;
    if constexpr (std::is_same_v<T, Secret>) return Kind::kSecret;
    if constexpr (std::is_same_v<T, Duration>) return Kind::kDuration;
    if constexpr (std::is_same_v<T, CommandLine>) return Kind::kCommand;
    if constexpr (std::is_same_v<T, Signal>) return Kind::kSignal;
    if constexpr (std::is_same_v<T, FileMode>) return Kind::kMode;
    if constexpr (std::is_same_v<T, Size>) return Kind::kSize;
    if constexpr (std::is_same_v<T, TcpProbe>) return Kind::kAddress;
    if constexpr (std::is_same_v<T, Cron>) return Kind::kCron;
    if constexpr (std::is_same_v<T, TimeZone>) return Kind::kTimeZone;
  }
  static constexpr bool kIsNumber = std::is_enum_v<T> || (std::is_integral_v<T> && !std::is_same_v<T, bool>);

  static T from(const Value& value) {
    if constexpr (kIsNumber)
      return static_cast<T>(std::get<long long>(value));
    else
      return std::get<T>(value);
  }
  static Value to(const T& value) {
    if constexpr (kIsNumber)
      return static_cast<long long>(value);
    else
      return value;
  }
};

template <typename T>
Type describe_scalar() {
  Type type;
  type.kind = Scalar<T>::kind();
  type.store = [](void* object, const Value& value) { *static_cast<T*>(object) = Scalar<T>::from(value); };
  type.fetch = [](const void* object) { return Scalar<T>::to(*static_cast<const T*>(object)); };
  if constexpr (std::is_enum_v<T>) {
    for (const auto& word : Words<T>::words)
      type.words.push_back({word.text, static_cast<long long>(word.value), word.alias});
  } else if constexpr (Scalar<T>::kIsNumber) {
    type.minimum = static_cast<long long>(std::numeric_limits<T>::min());
    type.maximum = static_cast<long long>(std::numeric_limits<T>::max());
  }
  return type;
}

template <typename Optional>
Type describe_optional() {
  using T = typename Optional::value_type;
  Type type = type_of<T>();
  type.optional = true;
  if constexpr (HasSchema<T>) {
    type.open = [](void* object, const std::string&) -> void* { return &static_cast<Optional*>(object)->emplace(); };
  } else {
    type.store = [](void* object, const Value& value) {
      static_cast<Optional*>(object)->emplace(Scalar<T>::from(value));
    };
    type.fetch = [](const void* object) {
      const auto& held = *static_cast<const Optional*>(object);
      return held ? Scalar<T>::to(*held) : Value();
    };
  }
  return type;
}

template <typename List>
Type describe_list() {
  Type type;
  type.kind = Kind::kList;
  type.element = &type_of<typename List::value_type>();
  type.open = [](void* object, const std::string&) -> void* { return &static_cast<List*>(object)->emplace_back(); };
  type.clear = [](void* object) { static_cast<List*>(object)->clear(); };
  return type;
}

template <typename Map>
Type describe_map() {
  Type type;
  type.kind = Kind::kMap;
  type.element = &type_of<typename Map::mapped_type>();
  type.open = [](void* object, const std::string& key) -> void* { return &(*static_cast<Map*>(object))[key]; };
  return type;
}

template <typename Struct, std::size_t Index>
Field describe_field() {
  static constexpr auto entry = std::get<Index>(Schema<Struct>::fields);
  using Member = std::remove_cvref_t<decltype(std::declval<Struct&>().*entry.member)>;
  Field field;
  field.key = entry.key;
  field.help = entry.help;
  field.required = entry.required;
  field.rules = entry.rules;
  field.type = &type_of<Member>();
  field.kind = entry.has_kind ? entry.kind : field.type->kind;
  field.member = [](void* object) -> void* { return &(static_cast<Struct*>(object)->*entry.member); };
  const Struct initial;
  if (field.type->fetch != nullptr) field.initial = field.type->fetch(&(initial.*entry.member));
  return field;
}

template <typename Struct>
Type describe_struct() {
  Type type;
  type.kind = Kind::kStruct;
  type.name = Schema<Struct>::name;
  [&]<std::size_t... Index>(std::index_sequence<Index...>) {
    (type.fields.push_back(describe_field<Struct, Index>()), ...);
  }(std::make_index_sequence<std::tuple_size_v<std::remove_cvref_t<decltype(Schema<Struct>::fields)>>>());
  if constexpr (requires { Schema<Struct>::exactly_one; })
    type.exactly_one.assign(Schema<Struct>::exactly_one.begin(), Schema<Struct>::exactly_one.end());
  if constexpr (requires { Schema<Struct>::shorthand; }) type.shorthand = Schema<Struct>::shorthand;
  type.open = [](void* object, const std::string&) { return object; };
  return type;
}

template <typename T>
Type describe() {
  if constexpr (OptionalOf<T>::value)
    return describe_optional<T>();
  else if constexpr (ListOf<T>::value)
    return describe_list<T>();
  else if constexpr (MapOf<T>::value)
    return describe_map<T>();
  else if constexpr (HasSchema<T>)
    return describe_struct<T>();
  else
    return describe_scalar<T>();
}

}  // namespace detail

/// Built at the first call, the same object ever after.
template <typename T>
const Type& type_of() {
  static const Type type = detail::describe<T>();
  return type;
}

}  // namespace slipway::config
