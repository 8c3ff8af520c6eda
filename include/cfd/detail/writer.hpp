#pragma once

/// \file
/// Writes MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), each value in its shortest
/// form, into a buffer that is reused from call to call. Not API: what is written is specified in
/// docs/wire-format.md.

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cfd::detail {

/// The deepest nesting of containers and aggregates that is written or read.
inline constexpr unsigned max_depth = 100;

/// The most bytes that the arguments of one call may take before compression; a decompressor stops there too.
inline constexpr std::size_t max_encoded_size = std::size_t{64} << 20U;

/// Appends MessagePack to memory of its own. Not thread-safe.
/// Throws CallError from any member when the whole would pass max_encoded_size.
class Writer {
 public:
  Writer() = default;
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// What has been written since construction or clear(). Valid until the next write.
  std::string_view written() const noexcept { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

  /// Starts anew; keeps the memory, unless it is larger than an ordinary call needs.
  void clear() noexcept;

  void nil() { byte(0xc0); }
  void boolean(bool value) { byte(value ? 0xc3 : 0xc2); }

  template <std::unsigned_integral T>
  void integer(T value) {
    room(9);
    unsigned_unchecked(value);
  }

  template <std::signed_integral T>
  void integer(T value) {
    room(9);
    if (value >= 0)
      unsigned_unchecked(static_cast<std::uint64_t>(value));
    else
      negative_unchecked(value);
  }

  void floating(float value) { tagged(0xca, std::bit_cast<std::uint32_t>(value)); }
  void floating(double value) { tagged(0xcb, std::bit_cast<std::uint64_t>(value)); }

  void string(std::string_view text) {
    if (text.size() < 32)
      head(static_cast<std::uint8_t>(0xa0U | text.size()), text.size());
    else
      long_head(0xd9, text.size(), text.size());
    raw_unchecked(text);
  }

  void bytes(std::string_view bytes) {
    long_head(0xc4, bytes.size(), bytes.size());
    raw_unchecked(bytes);
  }

  /// The head of an array; its `size` elements follow, and then leave(). Throws CallError above max_depth:
  /// what is nested deeper would not be read.
  void array(std::size_t size) {
    enter();
    if (size < 16)
      byte(static_cast<std::uint8_t>(0x90U | size));
    else
      wide_head(0xdc, size);
  }

  /// The head of a map; its `size` keys and values follow, in turn, and then leave().
  void map(std::size_t size) {
    enter();
    if (size < 16)
      byte(static_cast<std::uint8_t>(0x80U | size));
    else
      wide_head(0xde, size);
  }

  void leave() noexcept { --depth_; }

  /// Bytes that are MessagePack already.
  void raw(std::string_view encoded) {
    room(encoded.size());
    raw_unchecked(encoded);
  }

  /// Makes sure that `size` bytes can follow without growing again.
  void room(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) [[unlikely]]
      grow(size);
  }

 private:
  void grow(std::size_t size);
  [[noreturn]] static void too_deep();

  void enter() {
    if (++depth_ > max_depth) [[unlikely]]
      too_deep();
  }

  void byte(std::uint8_t value) {
    room(1);
    put(value);
  }

  /// There is room: the analyzer does not see that grow() never leaves a null pointer.
  void put(std::uint8_t value) noexcept {
    *at_++ = static_cast<char>(value);  // NOLINT(clang-analyzer-core.NullDereference)
  }

  template <std::unsigned_integral T>
  void big_endian_unchecked(T value) noexcept {
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
    static_assert(std::endian::native == std::endian::little,
                  "byte order of big-endian hosts is not handled");
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

  template <std::unsigned_integral T>
  void tagged_unchecked(std::uint8_t tag, T value) noexcept {
    put(tag);
    big_endian_unchecked(value);
  }

  template <std::unsigned_integral T>
  void tagged(std::uint8_t tag, T value) {
    room(1 + sizeof value);
    tagged_unchecked(tag, value);
  }

  void unsigned_unchecked(std::uint64_t value) noexcept {
    if (value < 0x80)
      put(static_cast<std::uint8_t>(value));
    else if (value <= 0xff)
      tagged_unchecked(0xcc, static_cast<std::uint8_t>(value));
    else if (value <= 0xffff)
      tagged_unchecked(0xcd, static_cast<std::uint16_t>(value));
    else if (value <= 0xffff'ffff)
      tagged_unchecked(0xce, static_cast<std::uint32_t>(value));
    else
      tagged_unchecked(0xcf, value);
  }

  void negative_unchecked(std::int64_t value) noexcept {
    if (value >= -32)
      put(static_cast<std::uint8_t>(value));
    else if (value >= INT8_MIN)
      tagged_unchecked(0xd0, static_cast<std::uint8_t>(value));
    else if (value >= INT16_MIN)
      tagged_unchecked(0xd1, static_cast<std::uint16_t>(value));
    else if (value >= INT32_MIN)
      tagged_unchecked(0xd2, static_cast<std::uint32_t>(value));
    else
      tagged_unchecked(0xd3, static_cast<std::uint64_t>(value));
  }

  void head(std::uint8_t tag, std::size_t following) {
    room(1 + following);
    put(tag);
  }

  /// Tags of strings and bytes: `tag` with 8 bits of length, the next two with 16 and 32.
  void long_head(std::uint8_t tag, std::size_t size, std::size_t following) {
    room(5 + following);
    if (size <= 0xff)
      tagged_unchecked(tag, static_cast<std::uint8_t>(size));
    else if (size <= 0xffff)
      tagged_unchecked(static_cast<std::uint8_t>(tag + 1), static_cast<std::uint16_t>(size));
    else
      tagged_unchecked(static_cast<std::uint8_t>(tag + 2), static_cast<std::uint32_t>(size));
  }

  /// Tags of arrays and maps: `tag` with 16 bits of count, the next with 32.
  void wide_head(std::uint8_t tag, std::size_t size) {
    room(5);
    if (size <= 0xffff)
      tagged_unchecked(tag, static_cast<std::uint16_t>(size));
    else
      tagged_unchecked(static_cast<std::uint8_t>(tag + 1), static_cast<std::uint32_t>(size));
  }

  void raw_unchecked(std::string_view encoded) noexcept {
    if (!encoded.empty()) std::memcpy(at_, encoded.data(), encoded.size());
    at_ += encoded.size();
  }

  char* begin_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  unsigned depth_ = 0;
};

/// Lends this thread's Writer, cleared, for the length of a call; nested leases get a Writer of their own.
class ScratchWriter {
 public:
  ScratchWriter();
  ~ScratchWriter();
  ScratchWriter(const ScratchWriter&) = delete;
  ScratchWriter& operator=(const ScratchWriter&) = delete;

  Writer& operator*() const noexcept { return *writer_; }
  Writer* operator->() const noexcept { return writer_; }

 private:
  Writer* writer_;
  bool owned_;
};

}  // namespace cfd::detail
