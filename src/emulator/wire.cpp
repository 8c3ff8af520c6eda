#include "emulator/wire.hpp"

#include <bit>
#include <cstring>

namespace cfd::emulator::wire {

bool Reader::varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) return false;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80U) return true;
  }
  return false;
}

bool Reader::take(std::uint64_t size, std::string_view& bytes) {
  if (size > rest_.size()) return false;
  bytes = rest_.substr(0, static_cast<std::size_t>(size));
  rest_.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool Reader::next(Field& field) {
  if (rest_.empty() || !ok_) return false;
  const char* const start = rest_.data();
  std::uint64_t tag = 0;
  std::uint64_t size = 0;
  ok_ = varint(tag) && (tag >> 3U) != 0 && (tag >> 32U) == 0;
  field.number = static_cast<std::uint32_t>(tag >> 3U);
  field.type = static_cast<std::uint32_t>(tag & 7U);
  field.value = 0;
  field.bytes = {};
  if (!ok_) return false;
  switch (field.type) {
    case 0:
      ok_ = varint(field.value);
      break;
    case 1:
      ok_ = take(8, field.bytes);
      break;
    case 2:
      ok_ = varint(size) && take(size, field.bytes);
      break;
    case 5:
      ok_ = take(4, field.bytes);
      break;
    default:
      ok_ = false;  // Groups are older than proto3, and no message of this protocol has one.
  }
  field.whole = {start, static_cast<std::size_t>(rest_.data() - start)};
  return ok_;
}

std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1U)) + 6) / 7;
}

char* put_varint(char* out, std::uint64_t value) noexcept {
  while (value >= 0x80U) {
    *out++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *out++ = static_cast<char>(value);
  return out;
}

char* put_bytes(char* out, std::uint32_t field, std::string_view bytes) noexcept {
  out = put_varint(out, (field << 3U) | 2U);
  out = put_varint(out, bytes.size());
  std::memcpy(out, bytes.data(), bytes.size());
  return out + bytes.size();
}

void append_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  char head[20];
  char* end = put_varint(put_varint(head, (field << 3U) | 2U), bytes.size());
  out.append(head, end);
  out.append(bytes);
}

void append_varint(std::string& out, std::uint32_t field, std::uint64_t value) {
  char bytes[20];
  char* end = put_varint(put_varint(bytes, field << 3U), value);
  out.append(bytes, end);
}

bool is_utf8(std::string_view text) noexcept {
  auto continuation = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const unsigned char second = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    std::size_t length = 0;
    if (lead < 0x80U)
      length = 1;
    else if (lead >= 0xC2U && lead <= 0xDFU)
      length = 2;
    else if (lead >= 0xE0U && lead <= 0xEFU)
      length = 3;
    else if (lead >= 0xF0U && lead <= 0xF4U)
      length = 4;
    else
      return false;
    for (std::size_t k = 1; k < length; ++k) {
      if (!continuation(i + k)) return false;
    }
    // Overlong forms, surrogates, and values above U+10FFFF show in the second byte.
    if ((lead == 0xE0U && second < 0xA0U) || (lead == 0xEDU && second > 0x9FU) ||
        (lead == 0xF0U && second < 0x90U) || (lead == 0xF4U && second > 0x8FU)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace cfd::emulator::wire
