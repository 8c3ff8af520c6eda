#pragma once

/// \file
/// Protocol Buffers' wire format, read and written by hand: a program that publishes registers no
/// descriptors, which would collide with those of another Pub/Sub client in it, and a message costs one copy
/// and no allocation. See protobuf.dev, "Encoding".

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace cfd::pubsub::wire {

enum class Type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  std::size_t size = 1;
  while (value >= 0x80U) {
    value >>= 7U;
    ++size;
  }
  return size;
}

/// Size of a length-delimited field with a field number below 16.
constexpr std::size_t bytes_field_size(std::size_t length) noexcept {
  return 1 + varint_size(length) + length;
}

/// Each put_ function writes at `out`, which must have room, and returns the end of what it wrote.
inline char* put_varint(char* out, std::uint64_t value) noexcept {
  while (value >= 0x80U) {
    *out++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *out++ = static_cast<char>(value);
  return out;
}

/// Tag and length of a length-delimited field; `number` is below 16.
inline char* put_length(char* out, unsigned number, std::size_t length) noexcept {
  *out++ = static_cast<char>(number << 3U | static_cast<unsigned>(Type::bytes));
  return put_varint(out, length);
}

inline char* put_bytes(char* out, unsigned number, std::string_view bytes) noexcept {
  out = put_length(out, number, bytes.size());
  if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

inline char* put_varint_field(char* out, unsigned number, std::uint64_t value) noexcept {
  *out++ = static_cast<char>(number << 3U | static_cast<unsigned>(Type::varint));
  return put_varint(out, value);
}

struct Field {
  std::uint32_t number = 0;
  Type type = Type::varint;
  std::uint64_t value = 0;  ///< of a varint or a fixed field
  std::string_view bytes;   ///< of a length-delimited field, a view into the input
};

/// Reads the fields of one message. Allocates nothing and never reads outside of the input.
class Reader {
 public:
  explicit Reader(std::string_view message) noexcept : rest_(message) {}

  /// The next field; false at the end of the message, or where the rest of it is malformed: see ok().
  bool next(Field& field) noexcept;

  bool ok() const noexcept { return ok_; }

 private:
  bool varint(std::uint64_t& value) noexcept;
  bool take(std::size_t size, std::string_view& bytes) noexcept;

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace cfd::pubsub::wire
