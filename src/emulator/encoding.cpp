#include "emulator/encoding.hpp"

#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

// ReceivedMessage: ack_id = 1, message = 2, delivery_attempt = 3.
std::size_t content_size(const Delivery& delivery) noexcept {
  const std::size_t attempt = delivery.attempt == 0 ? 0 : 1 + wire::varint_size(delivery.attempt);
  return wire::bytes_field_size(ack_id_size) + wire::bytes_field_size(delivery.message.wire().size()) +
         attempt;
}

}  // namespace

std::size_t encoded_size(std::span<const Delivery> deliveries) noexcept {
  std::size_t size = 0;
  for (const auto& delivery : deliveries) size += wire::bytes_field_size(content_size(delivery));
  return size;
}

char* encode_deliveries(std::span<const Delivery> deliveries, char* out) noexcept {
  constexpr std::uint32_t length_delimited = 2;
  for (const auto& delivery : deliveries) {
    out = wire::put_varint(out, (1U << 3U) | length_delimited);
    out = wire::put_varint(out, content_size(delivery));
    char ack_id[ack_id_size];
    write_ack_id(ack_id, delivery.token);
    out = wire::put_bytes(out, 1, {ack_id, ack_id_size});
    out = wire::put_bytes(out, 2, delivery.message.wire());
    if (delivery.attempt != 0) out = wire::put_varint(wire::put_varint(out, 3U << 3U), delivery.attempt);
  }
  return out;
}

}  // namespace cfd::emulator
