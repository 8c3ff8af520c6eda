#include "codec/base64.hpp"

#include <array>
#include <cstdint>

namespace cfd::codec {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t invalid = 0xff;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = invalid;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  values['-'] = 62;
  values['_'] = 63;
  return values;
}

constexpr std::array<std::uint8_t, 256> values = make_values();

std::uint32_t value_of(char c) noexcept {
  return values[static_cast<unsigned char>(c)];
}

}  // namespace

bool decode_base64(std::string_view text, std::string& decoded) {
  // Padding, where there is any, fills the last group of four and is one or two characters.
  if (text.size() % 4 == 0)
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  const std::size_t tail = text.size() % 4;
  if (tail == 1) return false;
  decoded.resize(text.size() / 4 * 3 + (tail == 0 ? 0 : tail - 1));
  char* out = decoded.data();
  const char* in = text.data();
  std::uint32_t seen = 0;  // any invalid value sets bits above the sixth
  for (std::size_t groups = text.size() / 4; groups > 0; --groups, in += 4, out += 3) {
    const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = value_of(in[2]), d = value_of(in[3]);
    seen |= a | b | c | d;
    const std::uint32_t bits = (a << 18U) | (b << 12U) | (c << 6U) | d;
    out[0] = static_cast<char>(bits >> 16U);
    out[1] = static_cast<char>(bits >> 8U);
    out[2] = static_cast<char>(bits);
  }
  if (tail != 0) {
    const std::uint32_t a = value_of(in[0]), b = value_of(in[1]), c = tail == 3 ? value_of(in[2]) : 0;
    seen |= a | b | c;
    const std::uint32_t bits = (a << 18U) | (b << 12U) | (c << 6U);
    out[0] = static_cast<char>(bits >> 16U);
    if (tail == 3) out[1] = static_cast<char>(bits >> 8U);
    if ((bits & (tail == 3 ? 0xffU : 0xffffU)) != 0) return false;
  }
  return seen < 64;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = (bits << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= bytes.size() ? alphabet[(bits >> (18U - 6U * j)) & 63U] : '=';
  }
  return out;
}

}  // namespace cfd::codec
