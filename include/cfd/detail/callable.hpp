#pragma once

/// \file
/// What the compiler knows of a callable: its result and its parameters. Not API.

#include <cstddef>
#include <stop_token>
#include <tuple>
#include <type_traits>

#include <cfd/detail/coder.hpp>
#include <cfd/value.hpp>

namespace cfd::detail {

template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
  template <std::size_t I>
  using at = std::tuple_element_t<I, std::tuple<T...>>;
};

template <class R, class... P>
struct CallableTraits {
  using Result = R;
  using Declared = TypeList<P...>;                         ///< as written
  using Parameters = TypeList<std::remove_cvref_t<P>...>;  ///< as they travel
  static constexpr bool takes_stop_token = false;
};

/// A leading std::stop_token is given by the executing side and does not travel.
template <class R, class... P>
struct CallableTraits<R, std::stop_token, P...> : CallableTraits<R, P...> {
  static constexpr bool takes_stop_token = true;
};

template <class F>
struct TraitsOf;

template <class R, class... P>
struct TraitsOf<R (*)(P...)> : CallableTraits<R, P...> {};
template <class R, class... P>
struct TraitsOf<R (*)(P...) noexcept> : CallableTraits<R, P...> {};
template <class R, class C, class... P>
struct TraitsOf<R (C::*)(P...) const> : CallableTraits<R, P...> {};
template <class R, class C, class... P>
struct TraitsOf<R (C::*)(P...) const noexcept> : CallableTraits<R, P...> {};

template <class F>
concept HasOneCallOperator = requires {
  &F::operator();
};

template <class F>
constexpr auto traits_of() {
  if constexpr (std::is_pointer_v<F> && std::is_function_v<std::remove_pointer_t<F>>) {
    return TraitsOf<F>();
  } else if constexpr (HasOneCallOperator<F>) {
    return TraitsOf<decltype(&F::operator())>();
  } else {
    static_assert(
        HasOneCallOperator<F>,
        "cfd: the parameters of this callable are not known: a generic lambda (auto) or an overloaded "
        "operator() cannot be dispatched, write out its parameter types");
    return CallableTraits<void>();
  }
}

/// Parameters that take any arguments: (cfd::Args, cfd::Kwargs).
template <class Parameters>
inline constexpr bool takes_any = std::is_same_v<Parameters, TypeList<Args, Kwargs>>;

/// Checks one parameter as it is written; a failed check is the first error that the compiler prints.
template <class Declared>
constexpr void check_parameter() {
  using T = std::remove_cvref_t<Declared>;
  static_assert(
      !std::is_lvalue_reference_v<Declared> || std::is_const_v<std::remove_reference_t<Declared>>,
      "cfd: a parameter that is a reference to non-const could not hand its change back: take it by value or "
      "by const reference");
  static_assert(std::is_default_constructible_v<T> || is_view<T>,
                "cfd: a parameter's type must be default constructible, so that it can be decoded into");
  [[maybe_unused]] constexpr auto read = &Coder<T>::read;  // instantiates the checks of its parts
}

template <class... Declared>
constexpr void check_parameters(TypeList<Declared...>) {
  (check_parameter<Declared>(), ...);
}

/// The least number of arguments that F can be called with: the others have defaults of its own. Lambdas and
/// function objects keep them; a pointer to a function does not.
template <class F, class... Given, class... Rest>
constexpr std::size_t least_arguments(TypeList<Given...>, TypeList<Rest...>) {
  // With nothing left to add it is not to be called at all, and check_parameters says why.
  if constexpr (std::is_invocable_v<const F&, Given...> || sizeof...(Rest) == 0) {
    return sizeof...(Given);
  } else {
    return []<class Next, class... After>(TypeList<Next, After...>) {
      return least_arguments<F>(TypeList<Given..., Next>(), TypeList<After...>());
    }(TypeList<Rest...>());
  }
}

template <class F, class... P>
constexpr std::size_t least_arguments_of(TypeList<P...>, bool /*takes_stop_token*/) {
  if constexpr (decltype(traits_of<F>())::takes_stop_token)
    return least_arguments<F>(TypeList<std::stop_token>(), TypeList<P&&...>()) - 1;
  else
    return least_arguments<F>(TypeList<>(), TypeList<P&&...>());
}

}  // namespace cfd::detail
