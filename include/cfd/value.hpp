#pragma once

/// \file
/// Values whose type is known only at run time, and the arguments of functions that take any.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace cfd {

class Value;
struct Member;

namespace detail {
class Reader;
class Writer;
}  // namespace detail

/// A dynamic value: nil, bool, a 64-bit integer, a double, a string, bytes, an array, or a map with keys of
/// any kind. Converts from C++ values implicitly; to<T>() in cfd/codec.hpp converts to any type that can be
/// an argument.
class Value {
 public:
  using Bytes = std::vector<std::byte>;
  using Array = std::vector<Value>;
  using Map = std::vector<Member>;  ///< in the order they came

  Value() noexcept;
  Value(std::nullptr_t) noexcept;
  Value(bool value) noexcept;

  template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>) Value(T value)
  noexcept {
    // One representation for each number: what fits int64 is an int64.
    if constexpr (std::unsigned_integral<T>) {
      if (value > static_cast<std::uint64_t>(INT64_MAX))
        set(static_cast<std::uint64_t>(value));
      else
        set(static_cast<std::int64_t>(value));
    } else {
      set(static_cast<std::int64_t>(value));
    }
  }

  Value(double value) noexcept;
  Value(float value) noexcept;
  Value(std::string value) noexcept;
  Value(std::string_view value);
  Value(const char* value);
  Value(Bytes value) noexcept;
  Value(std::span<const std::byte> value);
  Value(Array value) noexcept;
  Value(Map value) noexcept;

  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  bool is_nil() const noexcept { return std::holds_alternative<std::monostate>(value_); }

  /// The value if it is of this kind, else null: bool, std::int64_t, std::uint64_t (above int64 only),
  /// double, std::string, Bytes, Array, Map.
  template <class T>
  const T* get_if() const noexcept {
    return std::get_if<T>(&value_);
  }

  /// Equal in kind and content; NaN equals nothing.
  friend bool operator==(const Value& a, const Value& b) noexcept;

 private:
  void set(std::int64_t value) noexcept;
  void set(std::uint64_t value) noexcept;

  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Bytes, Array, Map>
      value_;
};

/// One entry of a Value::Map.
struct Member {
  Value key;
  Value value;
  friend bool operator==(const Member& a, const Member& b) noexcept;
};

// Below Member, which the variant needs complete.
inline Value::Value() noexcept = default;
inline Value::Value(std::nullptr_t) noexcept {}
inline Value::Value(bool value) noexcept : value_(value) {}
inline void Value::set(std::int64_t value) noexcept {
  value_ = value;
}
inline void Value::set(std::uint64_t value) noexcept {
  value_ = value;
}
inline Value::Value(double value) noexcept : value_(value) {}
inline Value::Value(float value) noexcept : value_(static_cast<double>(value)) {}
inline Value::Value(std::string value) noexcept : value_(std::move(value)) {}
inline Value::Value(std::string_view value) : value_(std::string(value)) {}
inline Value::Value(const char* value) : value_(std::string(value)) {}
inline Value::Value(Bytes value) noexcept : value_(std::move(value)) {}
inline Value::Value(std::span<const std::byte> value) : value_(Bytes(value.begin(), value.end())) {}

/// Positional arguments of a function that takes any, in order: `*args`.
class Args {
 public:
  Args() noexcept = default;
  explicit Args(Value::Array values) noexcept : values_(std::move(values)) {}

  std::size_t size() const noexcept { return values_.size(); }
  bool empty() const noexcept { return values_.empty(); }

  /// Throws std::out_of_range.
  const Value& operator[](std::size_t index) const { return values_.at(index); }

  auto begin() const noexcept { return values_.begin(); }
  auto end() const noexcept { return values_.end(); }

  /// Appends an argument, for a call that passes on what it got: `f(args, kwargs)`.
  void push_back(Value value) { values_.push_back(std::move(value)); }

  friend bool operator==(const Args&, const Args&) = default;

 private:
  Value::Array values_;
};

/// Named arguments of a function that takes any, in the order of the call: `**kwargs`.
class Kwargs {
 public:
  using Entry = std::pair<std::string, Value>;

  Kwargs() noexcept = default;
  explicit Kwargs(std::vector<Entry> entries) noexcept : entries_(std::move(entries)) {}

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }

  /// The value named `name`, or null.
  const Value* find(std::string_view name) const noexcept;

  /// Throws std::out_of_range where there is none of this name.
  const Value& operator[](std::string_view name) const;

  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

  /// Sets a named argument, replacing one of the same name.
  void set(std::string name, Value value);

  friend bool operator==(const Kwargs&, const Kwargs&) = default;

 private:
  std::vector<Entry> entries_;
};

/// As JSON, on one line, as in the log: `null`, `true`, `1`, `1.5`, `"a"`, `[1, "a"]`, `{"x": 7}`. What JSON
/// has no form for: bytes as `b"\x00\xff"`, `nan`, `inf`, `-inf`.
std::string to_string(const Value& value);
std::string to_string(const Args& args);
std::string to_string(const Kwargs& kwargs);

namespace detail {

/// Throws CallError where the value is nested deeper than max_depth.
void write_value(Writer& writer, const Value& value);
bool read_value(Reader& reader, Value& value);

}  // namespace detail

}  // namespace cfd

template <class T>
requires(std::same_as<T, cfd::Value> || std::same_as<T, cfd::Args> ||
         std::same_as<T, cfd::Kwargs>) struct fmt::formatter<T> : fmt::formatter<fmt::string_view> {
  template <class Context>
  auto format(const T& value, Context& context) const {
    return fmt::formatter<fmt::string_view>::format(cfd::to_string(value), context);
  }
};
