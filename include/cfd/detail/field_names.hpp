#pragma once

/// \file
/// Names of an aggregate's fields, where the compiler tells them: GCC. Used to read JSON objects; never on
/// the wire, where two compilers must agree. Not API.

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <boost/pfr/core.hpp>

namespace cfd::detail {

#if defined(__GNUC__) && !defined(__clang__)

inline constexpr bool field_names_known = true;

template <class T>
struct Wrapped {
  T value;
};

/// Never defined: only the addresses of its parts are named, while compiling.
template <class T>
extern const Wrapped<T> never_defined;

/// The name of what Pointer points to, from the compiler's spelling of this function: `... = (&
/// never_defined<T>.value.x)]`.
template <auto* Pointer>
constexpr std::string_view name_of_pointee() noexcept {
  std::string_view text = __PRETTY_FUNCTION__;
  text = text.substr(0, text.rfind(')'));
  const std::size_t start = text.find_last_of(".:") + 1;
  return text.substr(start);
}

template <class T, std::size_t... I>
constexpr std::array<std::string_view, sizeof...(I)> field_names(std::index_sequence<I...>) noexcept {
  return {name_of_pointee<&boost::pfr::get<I>(never_defined<T>.value)>()...};
}

#else

inline constexpr bool field_names_known = false;

template <class T, std::size_t... I>
constexpr std::array<std::string_view, sizeof...(I)> field_names(std::index_sequence<I...>) noexcept {
  return {};
}

#endif

}  // namespace cfd::detail
