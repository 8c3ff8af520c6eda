#include "pubsub/wire.hpp"

namespace cfd::pubsub::wire {

bool Reader::varint(std::uint64_t& value) noexcept {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80U) return true;
  }
  return false;
}

bool Reader::take(std::size_t size, std::string_view& bytes) noexcept {
  if (size > rest_.size()) return false;
  bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool Reader::next(Field& field) noexcept {
  if (rest_.empty() || !ok_) return false;
  ok_ = false;
  std::uint64_t tag = 0;
  if (!varint(tag) || tag >> 3U == 0 || tag >> 3U > UINT32_MAX) return false;
  field.number = static_cast<std::uint32_t>(tag >> 3U);
  field.type = static_cast<Type>(tag & 7U);
  field.bytes = {};
  switch (field.type) {
    case Type::varint:
      ok_ = varint(field.value);
      break;
    case Type::fixed64:
      ok_ = take(8, field.bytes);
      break;
    case Type::fixed32:
      ok_ = take(4, field.bytes);
      break;
    case Type::bytes:
      ok_ = varint(field.value) && take(field.value, field.bytes);
      break;
    default:
      break;  // Groups are not part of Pub/Sub's protocol.
  }
  return ok_;
}

}  // namespace cfd::pubsub::wire
