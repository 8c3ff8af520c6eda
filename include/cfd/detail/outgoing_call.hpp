#pragma once

/// \file
/// A call on its way out: arguments are checked against the parameters as it compiles, and written as the
/// parameters' types. Not API.

#include <cstddef>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <cfd/call.hpp>
#include <cfd/detail/argument.hpp>
#include <cfd/detail/coder.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/detail/parameters.hpp>

namespace cfd {

/// How one call is to be sent; see Dispatchable::with.
struct CallOptions {
  /// Calls with the same key execute in the order they were made, where the subscription is an ordered one.
  std::string_view ordering_key = {};
};

namespace detail {

/// Publishes a call whose arguments are written. Throws ConfigError, CallError or PublishError.
Call submit(const Function& function, std::string_view arguments, const CallOptions& options);

/// Instantiated once an argument, so that the compiler's message shows which one, what was given and what was
/// expected.
template <std::size_t Position, class Given, class Expected>
struct ArgumentCheck {
  static constexpr bool ok = accepts<Given, Expected>();
  static_assert(ok, "cfd: an argument has the wrong type: it does not convert to the type of its parameter");
};

/// Writes a call of a function with parameters of its own: `[[positional...], {named...}]`.
template <class Parameters>
class TypedCall {
  template <std::size_t I>
  using P = typename Parameters::Types::template at<I>;
  static constexpr std::size_t count = Parameters::count;

 public:
  /// Whether the call compiles; where not, the first error says why.
  template <class... A>
  static constexpr bool check() {
    constexpr auto positional = (std::size_t{0} + ... + !is_argument_name<std::remove_cvref_t<A>>);
    constexpr bool ordered = positional_come_first<std::remove_cvref_t<A>...>();
    static_assert(ordered,
                  "cfd: a named argument is followed by a positional one: positional arguments come first");
    static_assert(positional <= count, "cfd: too many arguments: the function has fewer parameters");
    static_assert(Parameters::named || positional == sizeof...(A),
                  "cfd: the function's parameters have no names: give them with cfd::arg in its definition");
    static_assert(
        (!(std::is_same_v<std::remove_cvref_t<A>, RuntimeName> || is_bare<std::remove_cvref_t<A>>)&&...),
        "cfd: a named argument has no value: write cfd::arg(\"name\") = value");
    if constexpr (ordered && positional <= count && (Parameters::named || positional == sizeof...(A)))
      return check_types<A...>(std::make_index_sequence<sizeof...(A)>()) && check_names<positional, A...>();
    else
      return false;
  }

  template <class... A>
  static void write(Writer& writer, const Function& function, const Parameters& parameters,
                    A&&... arguments) {
    constexpr auto positional = (std::size_t{0} + ... + !is_argument_name<std::remove_cvref_t<A>>);
    writer.array(2);
    writer.array(positional);
    write_positional(writer, function, std::index_sequence_for<A...>(), arguments...);
    writer.leave();
    writer.map(sizeof...(A) - positional);
    if constexpr (positional != sizeof...(A)) {
      NamesGiven given{positional};
      (write_named(writer, function, parameters, given, arguments), ...);
      for (std::size_t i = positional; i < count; ++i)
        if (!given.has(i) && !Parameters::optional(i)) throw_missing(function, i);
    }
    writer.leave();
    writer.leave();
  }

 private:
  /// Which parameters a call gives a value: the first ones, and those it names.
  struct NamesGiven {
    std::size_t positional;
    std::uint64_t named = 0;
    bool has(std::size_t index) const noexcept { return index < positional || ((named >> index) & 1U) != 0; }
  };

  template <class A>
  static constexpr bool is_bare = is_static_name<A> && !is_named_value<A>;

  template <class... A>
  static constexpr bool positional_come_first() {
    bool named = false;
    bool ok = true;
    ((ok = ok && (is_argument_name<A> || !named), named = named || is_argument_name<A>), ...);
    return ok;
  }

  template <class... A, std::size_t... I>
  static constexpr bool check_types(std::index_sequence<I...>) {
    return (check_type<I, A>() && ...);
  }

  template <std::size_t I, class A>
  static constexpr bool check_type() {
    if constexpr (is_argument_name<std::remove_cvref_t<A>>)
      return true;
    else
      return ArgumentCheck<I, A, P<I>>::ok;
  }

  template <std::size_t Positional, class... A>
  static constexpr bool check_names() {
    constexpr bool checkable =
        (Parameters::names_are_static || Positional == sizeof...(A)) &&
        ((!is_named_value<std::remove_cvref_t<A>> || is_static_name<std::remove_cvref_t<A>>)&&...);
    if constexpr (!checkable) {
      return true;  // cfd::arg("name"): at the call
    } else {
      constexpr bool known = (name_is_known<std::remove_cvref_t<A>>() && ...);
      static_assert(known, "cfd: no parameter of the function has this name");
      if constexpr (known) {
        constexpr std::array<std::size_t, count + 1> times =
            count_given<Positional, std::remove_cvref_t<A>...>();
        constexpr bool once = std::ranges::all_of(times, [](std::size_t n) { return n <= 1; });
        constexpr bool complete = all_given(times);
        static_assert(once, "cfd: a parameter is given twice, by position and by name, or by name twice");
        static_assert(complete, "cfd: too few arguments: a parameter without a default is missing");
        return once && complete;
      }
      return known;
    }
  }

  template <class A>
  static constexpr bool name_is_known() {
    if constexpr (is_static_name<A>)
      return Parameters::static_index_of(A::name) < count;
    else
      return true;
  }

  template <std::size_t Positional, class... A>
  static constexpr std::array<std::size_t, count + 1> count_given() {
    std::array<std::size_t, count + 1> times{};
    for (std::size_t i = 0; i < Positional; ++i) ++times[i];
    [[maybe_unused]] const auto add = [&]<class Argument>(std::type_identity<Argument>) {
      if constexpr (is_static_name<Argument>) ++times[Parameters::static_index_of(Argument::name)];
    };
    (add(std::type_identity<A>()), ...);
    return times;
  }

  static constexpr bool all_given(const std::array<std::size_t, count + 1>& times) {
    for (std::size_t i = 0; i < count; ++i)
      if (times[i] == 0 && !Parameters::optional(i)) return false;
    return true;
  }

  template <std::size_t... I, class... A>
  static void write_positional(Writer& writer, const Function& function, std::index_sequence<I...>,
                               A&... arguments) {
    (write_if_positional<I>(writer, function, arguments), ...);
  }

  template <std::size_t I, class A>
  static void write_if_positional(Writer& writer, const Function& function, A& argument) {
    if constexpr (!is_argument_name<std::remove_cvref_t<A>>)
      write_argument<P<I>>(writer, function, I, argument);
  }

  template <class A>
  static void write_named(Writer& writer, const Function& function, const Parameters& parameters,
                          NamesGiven& given, A& argument) {
    if constexpr (is_named_value<std::remove_cvref_t<A>>) {
      const std::size_t index = parameters.index_of(argument.name);
      if (index == count) throw_unknown_name(function, argument.name);
      if (given.has(index)) throw_given_twice(function, argument.name);
      given.named |= std::uint64_t{1} << index;
      writer.string(argument.name);
      write_as(writer, function, index, argument.value, std::make_index_sequence<count>());
    }
  }

  /// Writes `value` as the type of parameter `index`, which only the running program knows.
  template <class A, std::size_t... I>
  static void write_as(Writer& writer, const Function& function, std::size_t index, A& value,
                       std::index_sequence<I...>) {
    const auto attempt = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      if (J != index) return false;
      if constexpr (accepts<A&, P<J>>())
        write_argument<P<J>>(writer, function, J, value);
      else
        throw_wrong_type(function, function.parameters[J].name);
      return true;
    };
    (attempt(std::integral_constant<std::size_t, I>()) || ...);
  }
};

/// Writes a call of a function that takes any arguments.
struct AnyCall {
  template <class... A>
  requires(!std::is_same_v<TypeList<std::remove_cvref_t<A>...>, TypeList<Args, Kwargs>>) static void write(
      Writer& writer, const Function& function, A&&... arguments) {
    constexpr auto positional = (std::size_t{0} + ... + !is_argument_name<std::remove_cvref_t<A>>);
    writer.array(2);
    writer.array(positional);
    (write_positional(writer, function, arguments), ...);
    writer.leave();
    writer.map(sizeof...(A) - positional);
    (write_named(writer, arguments), ...);
    writer.leave();
    writer.leave();
  }

  /// Passes on what a function that takes any arguments got itself.
  static void write(Writer& writer, const Function& function, const Args& args, const Kwargs& kwargs);

 private:
  template <class A>
  static void write_any(Writer& writer, const A& value) {
    if constexpr (std::is_convertible_v<const A&, std::string_view>)
      writer.string(std::string_view(value));
    else if constexpr (std::is_convertible_v<const A&, std::span<const std::byte>>)
      BytesCoder::write(writer, value);
    else
      Coder<A>::write(writer, value);
  }

  template <class A>
  static void write_positional(Writer& writer, const Function& function, A& argument) {
    if constexpr (!is_argument_name<std::remove_cvref_t<A>>) {
      if constexpr (std::is_pointer_v<std::decay_t<A>> && !std::is_array_v<std::remove_reference_t<A>>)
        if (argument == nullptr) throw_null_string(function, 0);
      write_any(writer, argument);
    }
  }

  template <class A>
  static void write_named(Writer& writer, A& argument) {
    static_assert(!is_argument_name<std::remove_cvref_t<A>> || is_named_value<std::remove_cvref_t<A>>,
                  "cfd: a named argument has no value: write cfd::arg(\"name\") = value");
    if constexpr (is_named_value<std::remove_cvref_t<A>>) {
      writer.string(argument.name);
      write_any(writer, argument.value);
    }
  }
};

}  // namespace detail
}  // namespace cfd
