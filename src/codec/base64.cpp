#include "codec/base64.hpp"

#include <array>
#include <cstdint>

namespace cfd::codec {
namespace {

constexpr std::uint8_t invalid = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(invalid);
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr std::array<std::uint8_t, 256> values = make_values();

std::uint32_t value_of(char c) noexcept {
  return values[static_cast<unsigned char>(c)];
}

// Decodes the last group, which carries one or two bytes before its padding. Returns their number, 0 where
// invalid.
std::size_t decode_padded(const char* group, char* out) noexcept {
  const std::uint32_t a = value_of(group[0]);
  const std::uint32_t b = value_of(group[1]);
  if (((a | b) & 0xc0U) != 0) return 0;
  if (group[2] == '=') {
    if ((b & 0x0fU) != 0) return 0;
    out[0] = static_cast<char>((a << 2U) | (b >> 4U));
    return 1;
  }
  const std::uint32_t c = value_of(group[2]);
  if ((c & 0xc0U) != 0 || (c & 0x03U) != 0) return 0;
  out[0] = static_cast<char>((a << 2U) | (b >> 4U));
  out[1] = static_cast<char>((b << 4U) | (c >> 2U));
  return 2;
}

}  // namespace

std::optional<std::string_view> decode_base64(std::span<char> text) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string_view(text.data(), 0);
  const bool padded = text.back() == '=';
  const char* in = text.data();
  const char* const end = in + text.size() - (padded ? 4 : 0);
  char* out = text.data();
  for (; in != end; in += 4, out += 3) {
    const std::uint32_t a = value_of(in[0]);
    const std::uint32_t b = value_of(in[1]);
    const std::uint32_t c = value_of(in[2]);
    const std::uint32_t d = value_of(in[3]);
    if (((a | b | c | d) & 0xc0U) != 0) return std::nullopt;
    const std::uint32_t bits = (a << 18U) | (b << 12U) | (c << 6U) | d;
    out[0] = static_cast<char>(bits >> 16U);
    out[1] = static_cast<char>(bits >> 8U);
    out[2] = static_cast<char>(bits);
  }
  if (padded) {
    const std::size_t last = decode_padded(in, out);
    if (last == 0) return std::nullopt;
    out += last;
  }
  return std::string_view(text.data(), static_cast<std::size_t>(out - text.data()));
}

}  // namespace cfd::codec
