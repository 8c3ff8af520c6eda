#pragma once

/// \file
/// Reads MessagePack from bytes that nobody vouches for. Every length is checked against what is there, every
/// depth against a limit, and every allocation against a budget, before anything is taken. Not API.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include <cfd/detail/writer.hpp>

namespace cfd::detail {

/// Memory that decoding may take: this many bytes for each byte of the message, and a base for small ones.
inline constexpr std::size_t memory_per_byte = 48;
inline constexpr std::size_t memory_base = std::size_t{1} << 20U;

/// Not thread-safe. The first failure is kept, with what was expected, what came and where; reading must then
/// end. Members that return bool return false after a failure.
class Reader {
 public:
  /// Where the bytes came from: what came as JSON is read more leniently where JSON has no type of its own
  /// (bytes as base64 text, aggregates as objects, integers as keys).
  enum class Source : std::uint8_t { msgpack, json };

  enum class Kind : std::uint8_t {
    nil,
    boolean,
    integer,
    floating,
    string,
    bytes,
    array,
    map,
    extension,
    invalid,
    end
  };

  explicit Reader(std::string_view bytes, Source source = Source::msgpack) noexcept
      : at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        begin_(bytes.data()),
        budget_(memory_base + memory_per_byte * bytes.size()),
        source_(source) {}

  Source source() const noexcept { return source_; }
  bool at_end() const noexcept { return at_ == end_; }

  /// The kind of the next value; reads nothing.
  Kind peek() const noexcept;

  /// Consumes the next value if it is nil.
  bool consume_nil() noexcept {
    if (at_ == end_ || byte_at(0) != 0xc0) return false;
    ++at_;
    return true;
  }

  bool boolean(bool& value) {
    if (at_ == end_ || (byte_at(0) & 0xfeU) != 0xc2) return fail("bool");
    value = byte_at(0) == 0xc3;
    ++at_;
    return true;
  }

  /// Reads an integer of any width on the wire; fails where T cannot hold it.
  template <std::integral T>
  bool integer(T& value) {
    if (at_ != end_ && byte_at(0) < 0x80 &&
        byte_at(0) <= static_cast<unsigned>(std::numeric_limits<T>::max())) {
      value = static_cast<T>(byte_at(0));
      ++at_;
      return true;
    }
    return wide_integer(value);
  }

  /// Reads an integer if it is one that T holds; consumes nothing and records no failure where it is not.
  template <std::integral T>
  bool integer_if(T& value) noexcept {
    WideInteger wide{};
    std::size_t size = 0;
    if (!any_integer(wide, size) || !fits<T>(wide)) return false;
    value = static_cast<T>(wide.bits);
    at_ += size;
    return true;
  }

  /// Reads either width of float, or an integer that converts exactly.
  bool floating(double& value);
  bool floating(float& value);

  /// Views into the message.
  bool string(std::string_view& text) {
    if (at_ != end_ && (byte_at(0) & 0xe0U) == 0xa0 && (byte_at(0) & 0x1fU) < left()) {
      text = {at_ + 1, byte_at(0) & 0x1fU};
      at_ += 1 + text.size();
      return true;
    }
    return long_string(text);
  }
  bool bytes(std::string_view& bytes);

  /// The head of an array or map. The count is no more than what the bytes left can hold. Each success must
  /// be paired with leave() after the elements.
  bool array(std::uint32_t& count) { return enter(0x90, 1, count) || long_array(count); }
  bool map(std::uint32_t& count) { return enter(0x80, 2, count) || long_map(count); }
  void leave() noexcept { --depth_; }

  /// Passes over one value of any kind.
  bool skip();

  /// Passes over one value and gives its bytes.
  bool skip(std::string_view& encoded);

  /// Takes `count` times `size` bytes from the memory budget, before they are allocated.
  bool charge(std::size_t count, std::size_t size) {
    if (count != 0 && size > budget_ / count) return fail_budget();
    budget_ -= count * size;
    return true;
  }

  /// Records that `expected` was expected where the reader stands. Always returns false.
  [[gnu::cold]] bool fail(std::string_view expected);

  /// Records a failure in words of its own. Always returns false.
  [[gnu::cold]] bool fail_because(std::string reason);

  /// Adds where the failure is, innermost first, as the decoders return. Always returns false.
  [[gnu::cold]] bool within(std::string_view step);
  [[gnu::cold]] bool within(std::size_t index);

  bool failed() const noexcept { return failure_ != nullptr; }

  /// One line: where, what was expected, what came. Empty where nothing failed.
  std::string error() const;

 private:
  unsigned byte_at(std::size_t offset) const noexcept { return static_cast<unsigned char>(at_[offset]); }
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  template <std::unsigned_integral T>
  T big_endian(std::size_t offset) const noexcept {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
    return value;
  }

  /// An integer as sign and magnitude's two's complement; consumed only on success.
  struct WideInteger {
    std::uint64_t bits;
    bool negative;
  };
  bool any_integer(WideInteger& value, std::size_t& size) const noexcept;

  template <std::integral T>
  bool wide_integer(T& value) {
    return integer_if(value) || fail_integer(std::numeric_limits<T>::digits, std::is_signed_v<T>);
  }

  template <std::integral T>
  static bool fits(WideInteger wide) noexcept {
    if (!wide.negative) return wide.bits <= static_cast<std::uint64_t>(std::numeric_limits<T>::max());
    if constexpr (std::is_signed_v<T>)
      return static_cast<std::int64_t>(wide.bits) >= std::numeric_limits<T>::min();
    else
      return false;
  }

  /// Enters a container whose count stands in its tag and surely fits.
  bool enter(unsigned tag, std::size_t least, std::uint32_t& count) noexcept {
    if (at_ == end_ || (byte_at(0) & 0xf0U) != tag || depth_ >= max_depth) return false;
    count = byte_at(0) & 0x0fU;
    if (least * count >= left()) return false;
    ++depth_;
    ++at_;
    return true;
  }

  bool long_array(std::uint32_t& count);
  bool long_map(std::uint32_t& count);
  bool long_string(std::string_view& text);
  [[gnu::cold]] bool fail_integer(int digits, bool is_signed);
  [[gnu::cold]] bool fail_budget();
  bool length(std::uint8_t tag8, std::size_t& header, std::size_t& size) const noexcept;
  bool enter(std::size_t header, std::uint32_t count, std::size_t least, std::string_view what);
  bool take(std::size_t header, std::size_t size, std::string_view& view);
  std::string found() const;

  const char* at_;
  const char* end_;
  const char* begin_;
  std::size_t budget_;
  unsigned depth_ = 0;
  Source source_;

  /// Allocated by the first failure, which is rare: a reader without one costs nothing to make and to let go.
  struct Failure {
    std::string reason;
    std::string path;
  };
  std::unique_ptr<Failure> failure_;
};

}  // namespace cfd::detail
