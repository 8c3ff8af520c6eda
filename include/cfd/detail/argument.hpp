#pragma once

/// \file
/// One argument of a call: which parameters it may be given for, and how it is written as one. Not API.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <cfd/arg.hpp>
#include <cfd/detail/coder.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/detail/parameters.hpp>

namespace cfd::detail {

/// Throw CallError about an argument of `function`.
[[noreturn]] void throw_out_of_range(const Function& function, std::size_t index, std::string_view type);
[[noreturn]] void throw_null_string(const Function& function, std::size_t index);
[[noreturn]] void throw_unknown_name(const Function& function, std::string_view name);
[[noreturn]] void throw_given_twice(const Function& function, std::string_view name);
[[noreturn]] void throw_missing(const Function& function, std::size_t index);
[[noreturn]] void throw_wrong_type(const Function& function, std::string_view name);
[[noreturn]] void throw_default_unknown(const Function& function, std::size_t index);
[[noreturn]] void throw_not_implemented(const Function& function);

template <class A>
inline constexpr bool is_argument_name =
    is_named_value<A> || is_static_name<A> || std::is_same_v<A, RuntimeName>;

template <class A, class P>
inline constexpr bool is_bytes_for = std::is_convertible_v<A, std::span<const std::byte>> &&
                                     (std::is_same_v<P, std::vector<std::byte>> ||
                                      std::is_same_v<P, std::vector<unsigned char>>);

template <class A, class P>
inline constexpr bool is_text_for =
    std::is_same_v<P, std::string>&& std::is_convertible_v<A, std::string_view>;

/// Whether an argument of type A may be given for a parameter of type P: as in a plain call, but for
/// conversions that lose what was meant (a float to an integer, a pointer to a bool).
template <class A, class P>
constexpr bool accepts() {
  using Plain = std::remove_cvref_t<A>;
  if constexpr (std::is_same_v<Plain, P> || is_bytes_for<A, P> || is_text_for<A, P>)
    return true;
  else if constexpr (std::is_same_v<P, bool>)
    return std::is_convertible_v<A, bool> && !std::is_pointer_v<std::decay_t<A>> &&
           !std::is_arithmetic_v<Plain>;
  else if constexpr (std::is_integral_v<P> && std::is_floating_point_v<Plain>)
    return false;
  else
    return std::is_convertible_v<A, P>;
}

/// Writes one argument as its parameter's type, without making a P where the wire form can be had from A
/// itself.
template <class P, class A>
void write_argument(Writer& writer, const Function& function, std::size_t index, A&& argument) {
  using Plain = std::remove_cvref_t<A>;
  if constexpr (std::is_same_v<Plain, P>) {
    Coder<P>::write(writer, argument);
  } else if constexpr (is_text_for<A, P>) {
    if constexpr (std::is_pointer_v<std::decay_t<A>> && !std::is_array_v<Plain>)
      if (argument == nullptr) throw_null_string(function, index);
    writer.string(std::string_view(argument));
  } else if constexpr (is_bytes_for<A, P>) {
    BytesCoder::write(writer, argument);
  } else if constexpr (std::is_integral_v<P> && std::is_integral_v<Plain>) {
    const auto converted = static_cast<P>(argument);
    if (static_cast<Plain>(converted) != argument || (converted < P{}) != (argument < Plain{}))
      throw_out_of_range(function, index, function.parameters[index].type);
    Coder<P>::write(writer, converted);
  } else {
    const P converted = static_cast<P>(std::forward<A>(argument));
    Coder<P>::write(writer, converted);
  }
}

}  // namespace cfd::detail
