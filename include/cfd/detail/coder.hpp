#pragma once

/// \file
/// Coder<T>: how a type is written, read and described; here for scalars, strings and cfd::Value. Not API.

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <cfd/detail/reader.hpp>
#include <cfd/detail/signature.hpp>
#include <cfd/detail/writer.hpp>
#include <cfd/value.hpp>

namespace cfd {

template <class T>
struct Codec;

namespace detail {

template <class T>
concept HasUserCodec = requires(const T& value) {
  Codec<T>::encode(value);
};

template <class T, template <class...> class Template>
inline constexpr bool is_instance_of = false;

template <template <class...> class Template, class... Parts>
inline constexpr bool is_instance_of<Template<Parts...>, Template> = true;

template <class T>
inline constexpr bool is_view = false;
template <class T, std::size_t N>
inline constexpr bool is_view<std::span<T, N>> = true;
template <class Char, class Traits>
inline constexpr bool is_view<std::basic_string_view<Char, Traits>> = true;

template <class T>
concept Callable = std::is_function_v<T> || requires {
  &T::operator();
} || requires(T f) {
  f();
};

template <class T>
concept Stream = requires {
  typename T::char_type;
  typename T::traits_type;
  typename T::pos_type;
};

template <class T>
concept Lock = requires(T& lock) {
  lock.lock();
  lock.unlock();
}
|| std::same_as<T, std::condition_variable> || std::same_as<T, std::once_flag>;

/// The type has no Coder: says why, in the first error that the compiler prints, and what to do instead.
template <class T>
struct Coder {
  static_assert(!std::is_reference_v<T>,
                "cfd: a reference cannot travel to another process: take the argument by value");
  static_assert(!std::is_same_v<std::remove_cv_t<std::remove_pointer_t<std::decay_t<T>>>, char> ||
                    !std::is_pointer_v<T>,
                "cfd: a char pointer cannot travel to another process: take a std::string");
  static_assert(
      !std::is_pointer_v<T> && !std::is_member_pointer_v<T>,
      "cfd: a raw pointer cannot travel to another process: take the value itself, or std::optional or "
      "std::unique_ptr of it");
  static_assert(
      !is_view<T>,
      "cfd: a view would refer to memory of another process: take the owning type, such as std::string or "
      "std::vector");
  static_assert(!Stream<T>,
                "cfd: a stream cannot travel to another process: pass what it contains, or a path");
  static_assert(!Lock<T>, "cfd: a mutex or lock cannot travel to another process: it has no meaning there");
  static_assert(
      is_view<T> || !Callable<T>,
      "cfd: a callable cannot travel to another process: pass data, or the name of a dispatched function");
  static_assert(!std::is_union_v<T>, "cfd: a union does not say which member is set: take a std::variant");
  static_assert(
      std::is_reference_v<T> || std::is_pointer_v<T> || std::is_member_pointer_v<T> || is_view<T> ||
          Stream<T> || Lock<T> || Callable<T> || std::is_union_v<T>,
      "cfd: this type cannot be an argument: make it an aggregate, or specialize cfd::Codec for it");

  static void write(Writer&, const std::remove_reference_t<T>&) {}
  static bool read(Reader&, std::remove_reference_t<T>&) { return false; }
  static void describe(Signature&) {}
};

/// A Coder whose nil means something, so that an optional of it needs a wrapping to tell the two apart.
template <class T>
concept Nullable = requires {
  typename Coder<T>::nullable;
};

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

template <class T>
concept Integer128 = std::same_as<T, Int128> || std::same_as<T, UInt128>;

template <>
struct Coder<bool> {
  static void write(Writer& writer, bool value) { writer.boolean(value); }
  static bool read(Reader& reader, bool& value) { return reader.boolean(value); }
  static void describe(Signature& signature) { signature.add("bool"); }
};

template <class T>
requires(std::integral<T> && !Integer128<T>) struct Coder<T> {
  static void write(Writer& writer, T value) { writer.integer(static_cast<Wire>(value)); }
  static bool read(Reader& reader, T& value) {
    Wire wire{};
    if (!reader.integer(wire)) return false;
    value = static_cast<T>(wire);
    return true;
  }
  static void describe(Signature& signature) {
    signature.add(std::is_signed_v<T> ? "int" : "uint");
    signature.add(std::to_string(8 * sizeof(T)));
  }

 private:
  // char, wchar_t and the like travel as the integers that they are.
  using Signed =
      std::conditional_t<sizeof(T) == 1, std::int8_t,
                         std::conditional_t<sizeof(T) == 2, std::int16_t,
                                            std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>>>;
  using Wire = std::conditional_t<std::is_signed_v<T>, Signed, std::make_unsigned_t<Signed>>;
};

template <>
struct Coder<std::byte> {
  static void write(Writer& writer, std::byte value) { writer.integer(static_cast<std::uint8_t>(value)); }
  static bool read(Reader& reader, std::byte& value) {
    std::uint8_t wire = 0;
    if (!reader.integer(wire)) return false;
    value = std::byte{wire};
    return true;
  }
  static void describe(Signature& signature) { signature.add("uint8"); }
};

template <class T>
requires(std::is_enum_v<T> && !std::same_as<T, std::byte> && !HasUserCodec<T>) struct Coder<T> {
  using Underlying = std::underlying_type_t<T>;
  static void write(Writer& writer, T value) {
    Coder<Underlying>::write(writer, static_cast<Underlying>(value));
  }
  static bool read(Reader& reader, T& value) {
    Underlying underlying{};
    if (!Coder<Underlying>::read(reader, underlying)) return false;
    value = static_cast<T>(underlying);
    return true;
  }
  // An enum may change its underlying type like any integer, and is described as one.
  static void describe(Signature& signature) { Coder<Underlying>::describe(signature); }
};

/// As an integer where 64 bits hold the value, else 16 bytes, two's complement, big-endian.
template <class T>
requires Integer128<T>
struct Coder<T> {
  static void write(Writer& writer, T value) {
    if (std::same_as<T, Int128> && value == static_cast<T>(static_cast<std::int64_t>(value)))
      return writer.integer(static_cast<std::int64_t>(value));
    if (value == static_cast<T>(static_cast<std::uint64_t>(value)))
      return writer.integer(static_cast<std::uint64_t>(value));
    char bytes[16];
    for (unsigned i = 0; i < 16; ++i)
      bytes[i] = static_cast<char>(static_cast<UInt128>(value) >> (120 - 8 * i));
    writer.bytes({bytes, sizeof bytes});
  }
  static bool read(Reader& reader, T& value) {
    if (reader.peek() != Reader::Kind::bytes) return read_64(reader, value);
    std::string_view bytes;
    if (!reader.bytes(bytes)) return false;
    if (bytes.size() != 16) return reader.fail_because("expected an integer of 16 bytes");
    UInt128 bits = 0;
    for (const char c : bytes) bits = (bits << 8U) | static_cast<unsigned char>(c);
    value = static_cast<T>(bits);
    return true;
  }
  static void describe(Signature& signature) {
    signature.add(std::same_as<T, Int128> ? "int128" : "uint128");
  }

 private:
  static bool read_64(Reader& reader, T& value) {
    std::int64_t narrow = 0;
    if (std::same_as<T, Int128> && reader.integer_if(narrow)) {
      value = static_cast<T>(narrow);
      return true;
    }
    std::uint64_t wide = 0;
    if (!reader.integer(wide)) return false;
    value = static_cast<T>(wide);
    return true;
  }
};

template <class T>
requires(std::same_as<T, float> || std::same_as<T, double>) struct Coder<T> {
  static void write(Writer& writer, T value) { writer.floating(value); }
  static bool read(Reader& reader, T& value) { return reader.floating(value); }
  static void describe(Signature& signature) { signature.add(sizeof(T) == 4 ? "float32" : "float64"); }
};

template <>
struct Coder<long double> {
  static void write(Writer& writer, long double value);
  static bool read(Reader& reader, long double& value);
  static void describe(Signature& signature) { signature.add("float80"); }
};

template <class Traits, class Allocator>
struct Coder<std::basic_string<char, Traits, Allocator>> {
  using T = std::basic_string<char, Traits, Allocator>;
  static void write(Writer& writer, std::string_view value) { writer.string(value); }
  static bool read(Reader& reader, T& value) {
    std::string_view text;
    if (!reader.string(text) || !reader.charge(text.size(), 1)) return false;
    value.assign(text.data(), text.size());
    return true;
  }
  static void describe(Signature& signature) { signature.add("string"); }
};

template <>
struct Coder<Value> {
  using nullable = void;
  static void write(Writer& writer, const Value& value) { write_value(writer, value); }
  static bool read(Reader& reader, Value& value) { return read_value(reader, value); }
  static void describe(Signature& signature) { signature.add("any"); }
};

/// Bytes, from any contiguous memory of one-byte elements.
struct BytesCoder {
  static void write(Writer& writer, std::span<const std::byte> value) {
    writer.bytes({reinterpret_cast<const char*>(value.data()), value.size()});
  }
  /// Views into the message, or into `storage`: where JSON carried them as base64 text, or they came as an
  /// array.
  static bool read(Reader& reader, std::string_view& bytes, std::string& storage);

 private:
  static bool read_array(Reader& reader, std::string_view& bytes, std::string& storage);
};

template <class T>
requires HasUserCodec<T>
struct Coder<T> {
  using Parts = std::remove_cvref_t<decltype(Codec<T>::encode(std::declval<const T&>()))>;
  static void write(Writer& writer, const T& value) { Coder<Parts>::write(writer, Codec<T>::encode(value)); }
  static bool read(Reader& reader, T& value) {
    Parts parts{};
    if (!Coder<Parts>::read(reader, parts)) return false;
    try {
      value = Codec<T>::decode(std::move(parts));
    } catch (const std::exception& error) {
      return reader.fail_because(error.what());
    }
    return true;
  }
  static void describe(Signature& signature) { Coder<Parts>::describe(signature); }
};

}  // namespace detail
}  // namespace cfd
