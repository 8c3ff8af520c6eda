#pragma once

/// \file
/// The executing side of a definition: decodes arguments, fills in defaults, calls. Not API.

#include <bit>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <cfd/detail/arguments.hpp>
#include <cfd/detail/coder.hpp>
#include <cfd/detail/function.hpp>
#include <cfd/detail/outgoing_call.hpp>
#include <cfd/detail/parameters.hpp>
#include <cfd/error.hpp>

namespace cfd::detail {

bool fail_trailing(Reader& reader);

/// The parts of reading a call that do not depend on its types. Positional arguments that a newer caller
/// knows and this program does not are passed over, with a note.
class CallReader {
 public:
  CallReader(Incoming& incoming, std::size_t parameters) : incoming_(incoming), parameters_(parameters) {}

  /// Reads the heads; `positional` is the number of positional arguments to read.
  bool begin(std::uint32_t& positional) {
    Reader& reader = incoming_.reader;
    std::uint32_t parts = 0;
    if (!reader.array(parts)) return false;
    if (parts != 2 || !reader.array(positional)) return fail_shape(parts);
    return positional <= parameters_ || begin_surplus(positional);
  }

  /// Between the positional arguments and the named ones; `named` is the number of named ones.
  bool end_positional(std::uint32_t& named) {
    if (surplus_ != 0 && !skip_surplus()) return false;
    incoming_.reader.leave();
    return incoming_.reader.map(named) || incoming_.reader.within("named arguments");
  }

  /// Reads one name.
  bool name(std::string_view& name) { return incoming_.reader.string(name); }

  bool end() {
    incoming_.reader.leave();
    incoming_.reader.leave();
    return incoming_.reader.at_end() || fail_trailing(incoming_.reader);
  }

 private:
  Incoming& incoming_;
  std::size_t parameters_;
  std::uint32_t surplus_ = 0;  ///< positional arguments beyond the parameters

  [[gnu::cold]] bool fail_shape(std::uint32_t parts);
  [[gnu::cold]] bool begin_surplus(std::uint32_t& positional);
  [[gnu::cold]] bool skip_surplus();
};

bool fail_unknown_name(Incoming& incoming, std::string_view name);
bool fail_given_twice(Reader& reader, std::string_view name);
bool fail_missing(Reader& reader, std::size_t index, std::string_view name);
bool fail_default_unknown(Reader& reader, std::size_t index, std::string_view name);
bool within_argument(Reader& reader, std::size_t index, std::string_view name);

/// A callable with typed parameters.
template <class F, class Parameters>
class TypedTarget final
    : public LocalBody<typename decltype(traits_of<F>())::Result, typename Parameters::Types> {
  using Types = typename Parameters::Types;
  using Traits = decltype(traits_of<F>());
  static constexpr std::size_t count = Parameters::count;
  static constexpr std::size_t least =
      least_arguments_of<F>(typename Traits::Parameters(), Traits::takes_stop_token);

 public:
  using Result = typename Traits::Result;

  TypedTarget(F function, const Parameters& parameters)
      : function_(std::move(function)), parameters_(parameters) {}

  bool invoke(Incoming& incoming) const override {
    Arguments<Types> arguments;
    if (!read(incoming, arguments)) return false;
    std::size_t index = 0;
    switch (complete(arguments, index)) {
      case Completion::missing:
        return fail_missing(incoming.reader, index, parameters_.name(index));
      case Completion::default_unknown:
        return fail_default_unknown(incoming.reader, index, parameters_.name(index));
      case Completion::complete:
        break;
    }
    call(arguments, incoming.stop);
    return true;
  }

  Result run(const Function& function, Arguments<Types>& arguments) const override {
    std::size_t index = 0;
    switch (complete(arguments, index)) {
      case Completion::missing:
        throw_missing(function, index);
      case Completion::default_unknown:
        throw_default_unknown(function, index);
      case Completion::complete:
        break;
    }
    return call(arguments, {});
  }

 private:
  enum class Completion : std::uint8_t { complete, missing, default_unknown };

  bool read(Incoming& incoming, Arguments<Types>& arguments) const {
    CallReader call(incoming, count);
    std::uint32_t positional = 0;
    std::uint32_t named = 0;
    if (!call.begin(positional)) return false;
    const bool read = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((I >= positional || read_at<I>(incoming.reader, arguments)) && ...);
    }
    (std::make_index_sequence<count>());
    if (!read) return false;
    if (!call.end_positional(named)) return false;
    for (std::uint32_t i = 0; i < named; ++i) {
      std::string_view name;
      if (!call.name(name)) return false;
      const std::size_t index = Parameters::named ? parameters_.index_of(name) : count;
      if (index == count) {
        if (!fail_unknown_name(incoming, name)) return false;
        continue;
      }
      if (arguments.has(index)) return fail_given_twice(incoming.reader, name);
      if (!read_one(incoming.reader, arguments, index)) return false;
    }
    return call.end();
  }

  template <std::size_t I>
  bool read_at(Reader& reader, Arguments<Types>& arguments) const {
    if (!Coder<typename Types::template at<I>>::read(reader, std::get<I>(arguments.values)))
      return within_argument(reader, I, parameters_.name(I));
    arguments.mark(I);
    return true;
  }

  /// Reads the parameter of an index that only the running program knows.
  bool read_one(Reader& reader, Arguments<Types>& arguments, std::size_t index) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((I != index || read_at<I>(reader, arguments)) && ...);
    }
    (std::make_index_sequence<count>());
  }

  /// Fills in the defaults that cfd::arg gave. The callable's own defaults can only be left to it at the end.
  Completion complete(Arguments<Types>& arguments, std::size_t& index) const {
    const auto fill = [&]<std::size_t I>(std::integral_constant<std::size_t, I>) {
      if (!arguments.has(I) && parameters_.template set_default<I>(std::get<I>(arguments.values)))
        arguments.mark(I);
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (fill(std::integral_constant<std::size_t, I>()), ...);
    }
    (std::make_index_sequence<count>());
    index = static_cast<std::size_t>(std::countr_one(arguments.given));
    if (index < least) return Completion::missing;
    // What is given stands in one run from the first on, or a default in the middle would be needed.
    if (std::cmp_not_equal(index, std::popcount(arguments.given))) return Completion::default_unknown;
    return Completion::complete;
  }

  Result call(Arguments<Types>& arguments, std::stop_token stop) const {
    const auto given = static_cast<std::size_t>(std::popcount(arguments.given));
    return call_with<count>(arguments, given, std::move(stop));
  }

  template <std::size_t N>
  Result call_with(Arguments<Types>& arguments, std::size_t given, std::stop_token stop) const {
    if constexpr (N > least)
      if (given < N) return call_with<N - 1>(arguments, given, std::move(stop));
    return [&]<std::size_t... I>(std::index_sequence<I...>)->Result {
      if constexpr (Traits::takes_stop_token)
        return std::invoke(function_, std::move(stop), std::move(std::get<I>(arguments.values))...);
      else
        return std::invoke(function_, std::move(std::get<I>(arguments.values))...);
    }
    (std::make_index_sequence<N>());
  }

  F function_;
  Parameters parameters_;
};

/// A callable that takes any arguments.
template <class F>
class AnyTarget final : public Body {
  using Traits = decltype(traits_of<F>());

 public:
  using Result = typename Traits::Result;

  explicit AnyTarget(F function) : function_(std::move(function)) {}

  bool invoke(Incoming& incoming) const override {
    Args args;
    Kwargs kwargs;
    if (!read_any(incoming.reader, args, kwargs)) return false;
    call(std::move(args), std::move(kwargs), incoming.stop);
    return true;
  }

  template <class... A>
  Result run(const Function& function, A&&... given) const {
    ScratchWriter writer;
    AnyCall::write(*writer, function, std::forward<A>(given)...);
    Reader reader(writer->written());
    Args args;
    Kwargs kwargs;
    if (!read_any(reader, args, kwargs)) throw CallError(reader.error());
    return call(std::move(args), std::move(kwargs), {});
  }

 private:
  static bool read_any(Reader& reader, Args& args, Kwargs& kwargs);

  Result call(Args args, Kwargs kwargs, std::stop_token stop) const {
    if constexpr (Traits::takes_stop_token)
      return std::invoke(function_, std::move(stop), std::move(args), std::move(kwargs));
    else
      return std::invoke(function_, std::move(args), std::move(kwargs));
  }

  F function_;
};

/// Reads `[[args...], {kwargs...}]`.
bool read_any_arguments(Reader& reader, Args& args, Kwargs& kwargs);

template <class F>
bool AnyTarget<F>::read_any(Reader& reader, Args& args, Kwargs& kwargs) {
  return read_any_arguments(reader, args, kwargs);
}

}  // namespace cfd::detail
