#pragma once

/// \file
/// What can be an argument: bool, integers and floats of any width, enums, std::string, bytes, std::optional,
/// variant, pair, tuple, the standard containers, unique_ptr and shared_ptr to such values, std::chrono
/// durations and system times, std::filesystem::path, std::complex, std::bitset, cfd::Value, every aggregate
/// of such types, nested to any depth, and each class that cfd::Codec is specialized for. How each looks on
/// the wire: docs/wire-format.md.

#include <cfd/detail/coder.hpp>
#include <cfd/detail/coder_aggregate.hpp>
#include <cfd/detail/coder_container.hpp>
#include <cfd/detail/coder_std.hpp>
#include <cfd/error.hpp>
#include <cfd/value.hpp>

namespace cfd {

/// The customization point for classes that are not aggregates. Specialize it with two functions that convert
/// to and from any type that can be an argument:
///
///     template <>
///     struct cfd::Codec<Money> {
///       static std::pair<std::int64_t, std::string> encode(const Money& money);
///       static Money decode(std::pair<std::int64_t, std::string> parts);
///     };
///
/// `decode` sees data that nobody vouches for: it throws, any exception, where the parts make no valid
/// object, and the message is rejected. Both must be thread-safe.
template <class T>
struct Codec;

/// Converts a C++ value to a dynamic one. Throws CallError where it is nested too deep or too large.
template <class T>
Value to_value(const T& value) {
  detail::Writer writer;
  detail::Coder<T>::write(writer, value);
  detail::Reader reader(writer.written());
  Value result;
  if (!detail::read_value(reader, result)) throw CallError(reader.error());
  return result;
}

/// Converts a dynamic value to a C++ one. Throws CallError, saying what was expected and what came.
template <class T>
T from_value(const Value& value) {
  detail::Writer writer;
  detail::write_value(writer, value);
  detail::Reader reader(writer.written());
  T result{};
  if (!detail::Coder<T>::read(reader, result)) throw CallError(reader.error());
  return result;
}

}  // namespace cfd
