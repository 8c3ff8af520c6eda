#pragma once

/// \file
/// Names and defaults of a function's parameters, as given with cfd::arg in its definition. Not API.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>

#include <cfd/arg.hpp>
#include <cfd/detail/callable.hpp>

namespace cfd::detail {

template <class T>
inline constexpr bool is_named_value = false;
template <class T>
inline constexpr bool is_named_value<NamedValue<T>> = true;
template <FixedString Name, class T>
inline constexpr bool is_named_value<StaticNamedValue<Name, T>> = true;

template <class T>
inline constexpr bool is_static_name = false;
template <FixedString Name>
inline constexpr bool is_static_name<StaticName<Name>> = true;
template <FixedString Name, class T>
inline constexpr bool is_static_name<StaticNamedValue<Name, T>> = true;

/// Stands for a parameter without a name.
struct Unnamed {
  static constexpr std::string_view name{};
};

/// The default of one parameter where cfd::arg gave one, kept as the parameter's own type.
template <class P, class Spec>
struct Parameter {
  static constexpr bool has_default = false;
  explicit constexpr Parameter(const Spec& /*spec*/) {}
};

template <class P, class Spec>
requires is_named_value<Spec>
struct Parameter<P, Spec> {
  using Given = decltype(Spec::value);
  static_assert(std::is_convertible_v<Given, P>,
                "cfd: the default given with cfd::arg does not convert to the type of its parameter");
  static constexpr bool has_default = true;
  explicit constexpr Parameter(const Spec& spec) : value(static_cast<Given>(spec.value)) {}
  P value;
};

/// The parameters of one function: `Least` is how many it must get, the defaults of the callable itself
/// aside.
template <std::size_t Least, class List, class... Specs>
class Parameters;

template <std::size_t Least, class... P, class... Specs>
class Parameters<Least, TypeList<P...>, Specs...> {
 public:
  using Types = TypeList<P...>;
  static constexpr std::size_t count = sizeof...(P);
  static constexpr bool named = !(std::is_same_v<Specs, Unnamed> || ...) && count > 0;
  static constexpr bool names_are_static = named && (is_static_name<Specs> && ...);

  explicit constexpr Parameters(const Specs&... specs)
      : names_{std::string_view(specs.name)...}, parameters_(Parameter<P, Specs>(specs)...) {}

  /// Whether a call may leave out parameter I: cfd::arg gave it a default, or the callable itself has one.
  static constexpr bool optional(std::size_t index) noexcept { return index >= Least || defaulted[index]; }

  /// The name of a parameter; empty where none was given.
  std::string_view name(std::size_t index) const noexcept { return names_[index]; }

  /// The index of the parameter of this name; `count` where there is none.
  std::size_t index_of(std::string_view wanted) const noexcept {
    return static_cast<std::size_t>(std::ranges::find(names_, wanted) - names_.begin());
  }

  /// As index_of, of a function whose names the compiler knows.
  static constexpr std::size_t static_index_of(std::string_view wanted) noexcept {
    constexpr std::array<std::string_view, count> names{static_name<Specs>()...};
    return static_cast<std::size_t>(std::ranges::find(names, wanted) - names.begin());
  }

  /// Sets parameter I to the default that cfd::arg gave. Returns false where it gave none.
  template <std::size_t I>
  bool set_default(std::tuple_element_t<I, std::tuple<P...>>& value) const {
    const auto& parameter = std::get<I>(parameters_);
    if constexpr (std::remove_cvref_t<decltype(parameter)>::has_default) {
      value = parameter.value;
      return true;
    } else {
      return false;
    }
  }

 private:
  template <class Spec>
  static constexpr std::string_view static_name() noexcept {
    if constexpr (is_static_name<Spec>)
      return Spec::name;
    else
      return {};
  }

  static constexpr std::array<bool, count> defaulted{Parameter<P, Specs>::has_default...};

  std::array<std::string_view, count> names_;
  std::tuple<Parameter<P, Specs>...> parameters_;
};

}  // namespace cfd::detail
