#pragma once

/// \file
/// Coder for the standard containers: sequences and sets as arrays, maps as maps, one-byte elements as bytes.
/// Not API.

#include <array>
#include <charconv>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <cfd/detail/coder.hpp>

namespace cfd::detail {

template <class T>
concept OneByte = std::same_as<T, std::byte> || std::same_as<T, unsigned char> || std::same_as<T, char>;

template <class C>
inline constexpr bool is_sequence = is_instance_of<C, std::vector> || is_instance_of<C, std::deque> ||
                                    is_instance_of<C, std::list> || is_instance_of<C, std::forward_list>;

template <class C>
inline constexpr bool is_set =
    is_instance_of<C, std::set> || is_instance_of<C, std::multiset> ||
    is_instance_of<C, std::unordered_set> || is_instance_of<C, std::unordered_multiset>;

template <class C>
inline constexpr bool is_map =
    is_instance_of<C, std::map> || is_instance_of<C, std::multimap> ||
    is_instance_of<C, std::unordered_map> || is_instance_of<C, std::unordered_multimap>;

/// What an element costs in memory, for the budget: with its links, where the container has nodes.
template <class C>
inline constexpr std::size_t element_size = sizeof(typename C::value_type) +
                                            (is_instance_of<C, std::vector> || is_instance_of<C, std::deque>
                                                 ? 0
                                                 : 32);

template <class C>
requires(is_instance_of<C, std::vector>&& OneByte<typename C::value_type>) struct Coder<C> {
  static void write(Writer& writer, const C& value) {
    BytesCoder::write(writer, std::as_bytes(std::span(value)));
  }
  static bool read(Reader& reader, C& value) {
    std::string_view bytes;
    std::string storage;
    if (!BytesCoder::read(reader, bytes, storage)) return false;
    const auto* first = reinterpret_cast<const typename C::value_type*>(bytes.data());
    value.assign(first, first + bytes.size());
    return true;
  }
  static void describe(Signature& signature) { signature.add("bytes"); }
};

template <OneByte T, std::size_t N>
struct Coder<std::array<T, N>> {
  static void write(Writer& writer, const std::array<T, N>& value) {
    BytesCoder::write(writer, std::as_bytes(std::span(value)));
  }
  static bool read(Reader& reader, std::array<T, N>& value) {
    std::string_view bytes;
    std::string storage;
    if (!BytesCoder::read(reader, bytes, storage)) return false;
    if (bytes.size() != N)
      return reader.fail_because("expected " + std::to_string(N) + " bytes, got " +
                                 std::to_string(bytes.size()));
    std::memcpy(value.data(), bytes.data(), N);
    return true;
  }
  static void describe(Signature& signature) { signature.add("bytes[" + std::to_string(N) + "]"); }
};

template <class T, std::size_t N>
requires(!OneByte<T>) struct Coder<std::array<T, N>> {
  static void write(Writer& writer, const std::array<T, N>& value) {
    writer.array(N);
    for (const T& element : value) Coder<T>::write(writer, element);
    writer.leave();
  }
  static bool read(Reader& reader, std::array<T, N>& value) {
    std::uint32_t count = 0;
    if (!reader.array(count)) return false;
    if (count != N)
      return reader.fail_because("expected " + std::to_string(N) + " elements, got " + std::to_string(count));
    for (std::size_t i = 0; i < N; ++i)
      if (!Coder<T>::read(reader, value[i])) return reader.within(i);
    reader.leave();
    return true;
  }
  static void describe(Signature& signature) {
    signature.add_list<Coder, T>("array<", ", " + std::to_string(N) + ">");
  }
};

template <class C>
requires(is_sequence<C> &&
         !(is_instance_of<C, std::vector> && OneByte<typename C::value_type>)) struct Coder<C> {
  using T = typename C::value_type;

  static void write(Writer& writer, const C& value) {
    writer.array(static_cast<std::size_t>(std::distance(value.begin(), value.end())));
    if constexpr (std::same_as<T, bool>)
      for (const bool element : value) writer.boolean(element);
    else
      for (const T& element : value) Coder<T>::write(writer, element);
    writer.leave();
  }

  static bool read(Reader& reader, C& value) {
    std::uint32_t count = 0;
    if (!reader.array(count) || !reader.charge(count, element_size<C>)) return false;
    value.resize(count);  // what is there is overwritten, and keeps its memory
    std::size_t index = 0;
    for (auto&& element : value) {
      if constexpr (std::same_as<T, bool>) {
        bool bit = false;
        if (!reader.boolean(bit)) return reader.within(index);
        element = bit;
      } else {
        if (!Coder<T>::read(reader, element)) return reader.within(index);
      }
      ++index;
    }
    reader.leave();
    return true;
  }

  static void describe(Signature& signature) { signature.add_list<Coder, T>("list<", ">"); }
};

template <class C>
requires is_set<C>
struct Coder<C> {
  using T = typename C::value_type;

  static void write(Writer& writer, const C& value) {
    writer.array(value.size());
    for (const T& element : value) Coder<T>::write(writer, element);
    writer.leave();
  }

  static bool read(Reader& reader, C& value) {
    std::uint32_t count = 0;
    if (!reader.array(count) || !reader.charge(count, element_size<C>)) return false;
    value.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      T element{};
      if (!Coder<T>::read(reader, element)) return reader.within(std::size_t{i});
      value.insert(value.end(), std::move(element));
    }
    reader.leave();
    return true;
  }

  // On the wire a set is a list; the receiving side drops what is there twice.
  static void describe(Signature& signature) { signature.add_list<Coder, T>("list<", ">"); }
};

template <class C>
requires is_map<C>
struct Coder<C> {
  using Key = typename C::key_type;
  using Mapped = typename C::mapped_type;

  static void write(Writer& writer, const C& value) {
    writer.map(value.size());
    for (const auto& [key, mapped] : value) {
      Coder<Key>::write(writer, key);
      Coder<Mapped>::write(writer, mapped);
    }
    writer.leave();
  }

  static bool read(Reader& reader, C& value) {
    std::uint32_t count = 0;
    if (!reader.map(count) || !reader.charge(count, element_size<C>)) return false;
    value.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      Key key{};
      Mapped mapped{};
      if (!read_key(reader, key) || !Coder<Mapped>::read(reader, mapped))
        return reader.within(std::size_t{i});
      value.emplace_hint(value.end(), std::move(key), std::move(mapped));
    }
    reader.leave();
    return true;
  }

  static void describe(Signature& signature) { signature.add_list<Coder, Key, Mapped>("map<", ">"); }

 private:
  /// JSON's keys are strings, also where they stand for numbers.
  static bool read_key(Reader& reader, Key& key) {
    if constexpr (std::integral<Key> && !std::same_as<Key, bool>) {
      if (reader.source() == Reader::Source::json) {
        std::string_view text;
        if (!reader.string(text)) return false;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key);
        if (error == std::errc() && end == text.data() + text.size()) return true;
        return reader.fail_because("expected a number as the key, got \"" + std::string(text.substr(0, 40)) +
                                   "\"");
      }
    }
    return Coder<Key>::read(reader, key);
  }
};

}  // namespace cfd::detail
