#pragma once

/// \file
/// Protobuf's wire format, just enough to publish and deliver messages without building objects: a bounded
/// reader and an appending writer. Neither allocates for itself; the reader never reads past its input.

#include <cstdint>
#include <string>
#include <string_view>

namespace cfd::emulator::wire {

/// One field as read. For length-delimited fields `bytes` is the content, for varints `value`.
struct Field {
  std::uint32_t number = 0;
  std::uint32_t type = 0;  ///< 0 varint, 1 fixed64, 2 length-delimited, 5 fixed32
  std::uint64_t value = 0;
  std::string_view bytes;
  std::string_view whole;  ///< tag and content, for copying a field as it is
};

/// Reads fields one after the other.
class Reader {
 public:
  explicit Reader(std::string_view input) : rest_(input) {}

  /// Reads the next field. False at the end and on malformed input; ok() tells which.
  bool next(Field& field);

  bool ok() const noexcept { return ok_; }

 private:
  bool varint(std::uint64_t& value);
  bool take(std::uint64_t size, std::string_view& bytes);

  std::string_view rest_;
  bool ok_ = true;
};

std::size_t varint_size(std::uint64_t value) noexcept;

/// Write at `out`, which must have room, and return the position after.
char* put_varint(char* out, std::uint64_t value) noexcept;
char* put_bytes(char* out, std::uint32_t field, std::string_view bytes) noexcept;

/// Bytes that put_bytes takes for fields 1 to 15.
inline std::size_t bytes_field_size(std::size_t size) noexcept {
  return 1 + varint_size(size) + size;
}

/// Appends a length-delimited or a varint field to `out`.
void append_bytes(std::string& out, std::uint32_t field, std::string_view bytes);
void append_varint(std::string& out, std::uint32_t field, std::uint64_t value);

/// Whether `text` is well-formed UTF-8, as every protobuf string must be.
bool is_utf8(std::string_view text) noexcept;

}  // namespace cfd::emulator::wire
