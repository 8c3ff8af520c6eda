#pragma once

/// \file
/// The arguments of one call as the types of its parameters, and what runs a function with them. Not API.

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <cfd/detail/argument.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/detail/outgoing_call.hpp>
#include <cfd/detail/parameters.hpp>

namespace cfd::detail {

/// A call's arguments, those given.
template <class List>
struct Arguments;

template <class... P>
struct Arguments<TypeList<P...>> {
  static_assert(sizeof...(P) <= 64, "cfd: a function can have at most 64 parameters");
  std::tuple<P...> values{};
  std::uint64_t given = 0;

  bool has(std::size_t index) const noexcept { return ((given >> index) & 1U) != 0; }
  void mark(std::size_t index) noexcept { given |= std::uint64_t{1} << index; }
};

/// A body that can also be run here, and hand its result back.
template <class R, class Types>
class LocalBody : public Body {
 public:
  /// Fills in defaults and calls. Throws CallError where an argument is missing, and what the function
  /// throws.
  virtual R run(const Function& function, Arguments<Types>& arguments) const = 0;
};

/// Collects a call's arguments as the parameters' types, without encoding them.
template <class Parameters>
class Gather {
  using Types = typename Parameters::Types;
  static constexpr std::size_t count = Parameters::count;

 public:
  Gather(const Function& function, const Parameters& parameters, Arguments<Types>& arguments)
      : function_(function), parameters_(parameters), arguments_(arguments) {}

  template <class A>
  void take(A&& argument) {
    if constexpr (is_named_value<std::remove_cvref_t<A>>) {
      const std::size_t index = parameters_.index_of(argument.name);
      if (index == count) throw_unknown_name(function_, argument.name);
      if (arguments_.has(index)) throw_given_twice(function_, argument.name);
      set(index, std::forward<decltype(argument.value)>(argument.value), std::make_index_sequence<count>());
    } else {
      set(next_++, std::forward<A>(argument), std::make_index_sequence<count>());
    }
  }

 private:
  template <class A, std::size_t... I>
  void set(std::size_t index, A&& argument, std::index_sequence<I...>) {
    (set_if<I>(index, std::forward<A>(argument)), ...);
  }

  template <std::size_t I, class A>
  void set_if(std::size_t index, A&& argument) {
    using P = typename Types::template at<I>;
    if (I != index) return;
    auto& value = std::get<I>(arguments_.values);
    if constexpr (is_bytes_for<A, P>) {
      const std::span<const std::byte> bytes = argument;
      const auto* first = reinterpret_cast<const typename P::value_type*>(bytes.data());
      value.assign(first, first + bytes.size());
      arguments_.mark(I);
    } else if constexpr (accepts<A, P>()) {
      value = static_cast<P>(std::forward<A>(argument));
      arguments_.mark(I);
    } else {
      throw_wrong_type(function_, parameters_.name(I));
    }
  }

  const Function& function_;
  const Parameters& parameters_;
  Arguments<Types>& arguments_;
  std::size_t next_ = 0;
};

}  // namespace cfd::detail
