#pragma once

/// \file
/// Names of arguments: in a definition, `cfd::arg("width") = 640` names a parameter and gives its default; in
/// a call, it passes an argument by name. `"width"_arg = 640` is the same with a name the compiler knows, and
/// can check.

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace cfd {

namespace detail {

/// A string as a template argument.
template <std::size_t N>
struct FixedString {
  // NOLINTNEXTLINE(google-explicit-constructor): a literal must convert
  consteval FixedString(const char (&text)[N]) { std::copy_n(text, N, characters); }
  constexpr std::string_view view() const noexcept { return {characters, N - 1}; }
  char characters[N];
};

/// A name with a value: T is the value's type, or a reference to it for the length of the call expression.
template <class T>
struct NamedValue {
  std::string_view name;
  T value;
};

template <FixedString Name, class T>
struct StaticNamedValue {
  static constexpr std::string_view name = Name.view();
  T value;
};

/// A name without a value.
struct RuntimeName {
  std::string_view name;

  template <class T>
  constexpr NamedValue<T&&> operator=(T&& value) const {
    return {name, std::forward<T>(value)};
  }
};

template <FixedString Name>
struct StaticName {
  static constexpr std::string_view name = Name.view();

  template <class T>
  constexpr StaticNamedValue<Name, T&&> operator=(T&& value) const {
    return {std::forward<T>(value)};
  }
};

}  // namespace detail

/// Names an argument. `name` must outlive the expression in a call, and the program in a definition: a
/// literal does. In a call, a name that the function does not have throws CallError; for a check at compile
/// time use `"name"_arg`.
constexpr detail::RuntimeName arg(std::string_view name) noexcept {
  return {name};
}

namespace literals {

/// `"x"_arg`: names an argument; a wrong name in a call does not compile where the definition used this form
/// too.
template <detail::FixedString Name>
consteval detail::StaticName<Name> operator""_arg() noexcept {
  return {};
}

}  // namespace literals

}  // namespace cfd
