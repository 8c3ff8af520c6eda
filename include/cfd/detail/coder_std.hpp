#pragma once

/// \file
/// Coder for the standard library's other value types. Not API.

#include <bitset>
#include <chrono>
#include <complex>
#include <filesystem>
#include <memory>
#include <optional>
#include <ratio>
#include <tuple>
#include <utility>
#include <variant>

#include <cfd/detail/coder.hpp>

namespace cfd::detail {

/// Optional-like types: nil, or the value; a value whose own nil means something is wrapped in an array of
/// one.
template <class O, class T>
struct OptionalCoder {
  using nullable = void;

  static void write(Writer& writer, const O& value) {
    if (!value) return writer.nil();
    if constexpr (Nullable<T>) writer.array(1);
    Coder<T>::write(writer, *value);
    if constexpr (Nullable<T>) writer.leave();
  }

  static bool read(Reader& reader, O& value) {
    if (reader.consume_nil()) {
      value.reset();
      return true;
    }
    if constexpr (Nullable<T>) {
      std::uint32_t count = 0;
      if (!reader.array(count)) return false;
      if (count != 1) return reader.fail_because("expected nil or an array of one element");
    }
    if constexpr (!is_instance_of<O, std::optional>) {
      if (!reader.charge(1, sizeof(T))) return false;
    }
    if (!Coder<T>::read(reader, fill(value))) return false;
    if constexpr (Nullable<T>) reader.leave();
    return true;
  }

  static void describe(Signature& signature) { signature.add_list<Coder, T>("optional<", ">"); }

 private:
  static T& fill(std::optional<T>& value) { return value.emplace(); }
  static T& fill(std::unique_ptr<T>& value) { return *(value = std::make_unique<T>()); }
  static T& fill(std::shared_ptr<T>& value) { return *(value = std::make_shared<T>()); }
};

template <class T>
struct Coder<std::optional<T>> : OptionalCoder<std::optional<T>, T> {};

template <class T>
requires(!std::is_array_v<T> && !std::is_polymorphic_v<T>) struct Coder<std::unique_ptr<T>>
    : OptionalCoder<std::unique_ptr<T>, T> {
};

template <class T>
requires(!std::is_array_v<T> && !std::is_polymorphic_v<T>) struct Coder<std::shared_ptr<T>>
    : OptionalCoder<std::shared_ptr<T>, T> {
};

template <>
struct Coder<std::monostate> {
  using nullable = void;
  static void write(Writer& writer, std::monostate) { writer.nil(); }
  static bool read(Reader& reader, std::monostate&) { return reader.consume_nil() || reader.fail("nil"); }
  static void describe(Signature& signature) { signature.add("nil"); }
};

template <class... T>
struct Coder<std::variant<T...>> {
  using V = std::variant<T...>;

  static void write(Writer& writer, const V& value) {
    writer.array(2);
    writer.integer(static_cast<std::uint64_t>(value.index()));
    std::visit([&]<class Held>(const Held& held) { Coder<Held>::write(writer, held); }, value);
    writer.leave();
  }

  static bool read(Reader& reader, V& value) {
    std::uint32_t count = 0;
    std::uint32_t index = 0;
    if (!reader.array(count)) return false;
    if (count != 2) return reader.fail_because("expected the index of an alternative and its value");
    if (!reader.integer(index)) return reader.within(std::size_t{0});
    if (index >= sizeof...(T))
      return reader.fail_because("expected one of " + std::to_string(sizeof...(T)) +
                                 " alternatives, got number " + std::to_string(index));
    if (!read_alternative(reader, value, index, std::index_sequence_for<T...>()))
      return reader.within(std::size_t{1});
    reader.leave();
    return true;
  }

  static void describe(Signature& signature) { signature.add_list<Coder, T...>("variant<", ">"); }

 private:
  template <std::size_t... I>
  static bool read_alternative(Reader& reader, V& value, std::size_t index, std::index_sequence<I...>) {
    bool ok = false;
    const auto read_if = [&]<std::size_t J>(std::integral_constant<std::size_t, J>) {
      using Held = std::variant_alternative_t<J, V>;
      if (J == index) ok = Coder<Held>::read(reader, value.template emplace<J>());
    };
    (read_if(std::integral_constant<std::size_t, I>()), ...);
    return ok;
  }
};

/// Pairs, tuples and complex numbers: an array of exactly their parts.
template <class Tuple, class... T>
struct TupleCoder {
  static void write(Writer& writer, const Tuple& value) {
    writer.array(sizeof...(T));
    std::apply([&](const T&... part) { (Coder<T>::write(writer, part), ...); }, value);
    writer.leave();
  }

  static bool read(Reader& reader, Tuple& value) {
    std::uint32_t count = 0;
    if (!reader.array(count)) return false;
    if (count != sizeof...(T))
      return reader.fail_because("expected " + std::to_string(sizeof...(T)) + " elements, got " +
                                 std::to_string(count));
    std::size_t index = 0;
    const bool ok =
        std::apply([&](T&... part) { return ((Coder<T>::read(reader, part) && ++index) && ...); }, value);
    if (!ok) return reader.within(index);
    reader.leave();
    return true;
  }

  static void describe(Signature& signature) { signature.add_list<Coder, T...>("tuple<", ">"); }
};

template <class... T>
struct Coder<std::tuple<T...>> : TupleCoder<std::tuple<T...>, T...> {};

template <class A, class B>
struct Coder<std::pair<A, B>> : TupleCoder<std::pair<A, B>, A, B> {};

template <class T>
struct Coder<std::complex<T>> {
  using Parts = std::tuple<T, T>;
  static void write(Writer& writer, const std::complex<T>& value) {
    Coder<Parts>::write(writer, {value.real(), value.imag()});
  }
  static bool read(Reader& reader, std::complex<T>& value) {
    Parts parts;
    if (!Coder<Parts>::read(reader, parts)) return false;
    value = {std::get<0>(parts), std::get<1>(parts)};
    return true;
  }
  static void describe(Signature& signature) { Coder<Parts>::describe(signature); }
};

template <class Rep, class Period>
struct Coder<std::chrono::duration<Rep, Period>> {
  using Duration = std::chrono::duration<Rep, Period>;
  static void write(Writer& writer, Duration value) { Coder<Rep>::write(writer, value.count()); }
  static bool read(Reader& reader, Duration& value) {
    Rep count{};
    if (!Coder<Rep>::read(reader, count)) return false;
    value = Duration(count);
    return true;
  }
  static void describe(Signature& signature) {
    signature.add_list<Coder, Rep>(
        "duration<", ", " + std::to_string(Period::num) + "/" + std::to_string(Period::den) + ">");
  }
};

template <class Clock, class Duration>
struct Coder<std::chrono::time_point<Clock, Duration>> {
  static_assert(!std::same_as<Clock, std::chrono::steady_clock>,
                "cfd: a steady_clock time has no meaning on another machine: take a "
                "std::chrono::system_clock time or a "
                "duration");
  using Time = std::chrono::time_point<Clock, Duration>;
  static void write(Writer& writer, Time value) { Coder<Duration>::write(writer, value.time_since_epoch()); }
  static bool read(Reader& reader, Time& value) {
    Duration since_epoch{};
    if (!Coder<Duration>::read(reader, since_epoch)) return false;
    value = Time(since_epoch);
    return true;
  }
  static void describe(Signature& signature) { signature.add_list<Coder, Duration>("time<", ">"); }
};

template <>
struct Coder<std::filesystem::path> {
  static void write(Writer& writer, const std::filesystem::path& value) { writer.string(value.native()); }
  static bool read(Reader& reader, std::filesystem::path& value) {
    std::string text;
    if (!Coder<std::string>::read(reader, text)) return false;
    value = std::move(text);
    return true;
  }
  static void describe(Signature& signature) { signature.add("string"); }
};

/// Bits, the first in the lowest bit of the first byte.
template <std::size_t N>
struct Coder<std::bitset<N>> {
  using Bytes = std::array<unsigned char, (N + 7) / 8>;
  static void write(Writer& writer, const std::bitset<N>& value) {
    Bytes bytes{};
    for (std::size_t i = 0; i < N; ++i)
      if (value[i]) bytes[i / 8] = static_cast<unsigned char>(bytes[i / 8] | (1U << (i % 8)));
    Coder<Bytes>::write(writer, bytes);
  }
  static bool read(Reader& reader, std::bitset<N>& value) {
    Bytes bytes{};
    if (!Coder<Bytes>::read(reader, bytes)) return false;
    for (std::size_t i = 0; i < N; ++i) value[i] = ((bytes[i / 8] >> (i % 8)) & 1U) != 0;
    return true;
  }
  static void describe(Signature& signature) { signature.add("bits[" + std::to_string(N) + "]"); }
};

}  // namespace cfd::detail
