#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <cfd/detail/coder.hpp>

#include "codec/base64.hpp"

namespace cfd::detail {

void Coder<long double>::write(Writer& writer, long double value) {
  const auto narrow = static_cast<double>(value);
  if (std::isnan(value) || static_cast<long double>(narrow) == value) return writer.floating(narrow);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%La", value);
  writer.string({text.data(), static_cast<std::size_t>(size)});
}

bool Coder<long double>::read(Reader& reader, long double& value) {
  if (reader.peek() != Reader::Kind::string) {
    double narrow = 0;
    if (!reader.floating(narrow)) return false;
    value = narrow;
    return true;
  }
  std::string_view text;
  if (!reader.string(text)) return false;
  const std::string terminated(text.substr(0, 63));
  char* end = nullptr;
  value = std::strtold(terminated.c_str(), &end);
  if (text.empty() || end != terminated.c_str() + text.size())
    return reader.fail_because("expected a float in hexadecimal notation");
  return true;
}

bool BytesCoder::read(Reader& reader, std::string_view& bytes, std::string& storage) {
  if (reader.source() != Reader::Source::json || reader.peek() != Reader::Kind::string) {
    if (reader.peek() != Reader::Kind::array) return reader.bytes(bytes) && reader.charge(bytes.size(), 1);
    return read_array(reader, bytes, storage);
  }
  std::string_view text;
  if (!reader.string(text) || !reader.charge(text.size(), 1)) return false;
  storage = text;
  const auto decoded = codec::decode_base64(storage);
  if (!decoded) return reader.fail_because("expected bytes as base64 text");
  bytes = *decoded;
  return true;
}

bool BytesCoder::read_array(Reader& reader, std::string_view& bytes, std::string& storage) {
  std::uint32_t count = 0;
  if (!reader.array(count) || !reader.charge(count, 1)) return false;
  storage.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t byte = 0;
    if (!reader.integer(byte)) return reader.within(i);
    storage[i] = static_cast<char>(byte);
  }
  reader.leave();
  bytes = storage;
  return true;
}

}  // namespace cfd::detail
