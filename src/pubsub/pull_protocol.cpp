#include "pubsub/pull_protocol.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "pubsub/wire.hpp"

namespace cfd::pubsub {
namespace {

using wire::Field;
using wire::Reader;
using wire::Type;

constexpr std::size_t piece_bytes = 256U << 10U;

// Field numbers of google.pubsub.v1.
namespace response {
constexpr unsigned messages = 1;
constexpr unsigned extended = 3;
constexpr unsigned properties = 4;
constexpr unsigned acknowledged = 5;
}  // namespace response
namespace request {
constexpr unsigned subscription = 1;
constexpr unsigned ack_ids = 2;
constexpr unsigned deadlines = 3;
constexpr unsigned deadline_ids = 4;
constexpr unsigned stream_ack_deadline = 5;
constexpr unsigned client_id = 6;
constexpr unsigned max_messages = 7;
constexpr unsigned max_bytes = 8;
}  // namespace request

void append_bytes(std::string& out, unsigned number, std::string_view bytes) {
  const std::size_t end = out.size();
  out.resize(end + wire::bytes_field_size(bytes.size()));
  wire::put_bytes(out.data() + end, number, bytes);
}

void append_varint(std::string& out, std::uint64_t value) {
  std::array<char, 10> bytes;
  const char* const end = wire::put_varint(bytes.data(), value);
  out.append(bytes.data(), static_cast<std::size_t>(end - bytes.data()));
}

void append_varint_field(std::string& out, unsigned number, std::uint64_t value) {
  out.push_back(static_cast<char>(number << 3U));
  append_varint(out, value);
}

bool parse_attribute(std::string_view bytes, Attribute& attribute) {
  Reader reader(bytes);
  for (Field f; reader.next(f);) {
    if (f.number == 1) attribute.key = f.bytes;
    if (f.number == 2) attribute.value = f.bytes;
  }
  return reader.ok();
}

bool parse_timestamp(std::string_view bytes, Delivery& delivery) {
  Reader reader(bytes);
  for (Field f; reader.next(f);) {
    if (f.number == 1) delivery.published_seconds = static_cast<std::int64_t>(f.value);
    if (f.number == 2) delivery.published_nanos = static_cast<std::int32_t>(f.value);
  }
  return reader.ok();
}

bool parse_message(std::string_view bytes, PullResponse& into, Delivery& delivery) {
  bool ok = true;
  Reader reader(bytes);
  for (Field f; ok && reader.next(f);) {
    switch (f.number) {
      case 1:
        delivery.data = f.bytes;
        break;
      case 2:
        ok = parse_attribute(f.bytes, into.attributes.emplace_back());
        ++delivery.attribute_count;
        break;
      case 3:
        delivery.message_id = f.bytes;
        break;
      case 4:
        ok = parse_timestamp(f.bytes, delivery);
        break;
      case 5:
        delivery.ordering_key = f.bytes;
        break;
      default:
        break;
    }
  }
  return ok && reader.ok();
}

bool parse_delivery(std::string_view bytes, PullResponse& into) {
  Delivery delivery;
  delivery.first_attribute = into.attributes.size();
  delivery.bytes = bytes.size();
  bool ok = true;
  Reader reader(bytes);
  for (Field f; ok && reader.next(f);) {
    if (f.number == 1) delivery.ack_id = f.bytes;
    if (f.number == 2) ok = parse_message(f.bytes, into, delivery);
    if (f.number == 3) delivery.attempt = static_cast<std::int32_t>(f.value);
  }
  into.deliveries.push_back(delivery);
  return ok && reader.ok() && !delivery.ack_id.empty();
}

/// The two kinds of confirmation differ in the number of the last field.
bool parse_confirmation(std::string_view bytes, unsigned failed_number, std::optional<Confirmation>& into) {
  Confirmation& confirmation = into.emplace();
  Reader reader(bytes);
  for (Field f; reader.next(f);) {
    if (f.number == 1) confirmation.confirmed.push_back(f.bytes);
    if (f.number == 2) confirmation.invalid.push_back(f.bytes);
    if (f.number == failed_number) confirmation.failed_for_now.push_back(f.bytes);
  }
  return reader.ok();
}

bool parse_properties(std::string_view bytes, PullResponse& into) {
  into.exactly_once = false;
  into.ordered = false;
  Reader reader(bytes);
  for (Field f; reader.next(f);) {
    if (f.number == 1) into.exactly_once = f.value != 0;
    if (f.number == 2) into.ordered = f.value != 0;
  }
  return reader.ok();
}

}  // namespace

std::shared_ptr<PullResponse> parse_pull_response(std::string bytes) {
  auto parsed = std::make_shared<PullResponse>();
  parsed->bytes = std::move(bytes);
  bool ok = true;
  Reader reader(parsed->bytes);
  for (Field f; ok && reader.next(f);) {
    switch (f.number) {
      case response::messages:
        ok = f.type == Type::bytes && parse_delivery(f.bytes, *parsed);
        break;
      case response::extended:
        ok = parse_confirmation(f.bytes, 3, parsed->extended);
        break;
      case response::properties:
        ok = parse_properties(f.bytes, *parsed);
        break;
      case response::acknowledged:
        ok = parse_confirmation(f.bytes, 4, parsed->acknowledged);
        break;
      default:
        break;
    }
  }
  return ok && reader.ok() ? parsed : nullptr;
}

std::string encode(const PullStart& start) {
  std::string out;
  append_bytes(out, request::subscription, start.subscription);
  append_varint_field(out, request::stream_ack_deadline,
                      static_cast<std::uint64_t>(start.ack_deadline.count()));
  append_bytes(out, request::client_id, start.client_id);
  append_varint_field(out, request::max_messages, start.max_messages);
  append_varint_field(out, request::max_bytes, start.max_bytes);
  return out;
}

std::string AckQueue::Piece::encode() const {
  std::string out = acks;
  if (!deadlines.empty()) append_bytes(out, request::deadlines, deadlines);
  return out + ids;
}

AckQueue::Piece& AckQueue::with_room() {
  if (pieces_.empty() || pieces_.back().acks.size() + pieces_.back().ids.size() > piece_bytes)
    pieces_.emplace_back();
  ++count_;
  ++pieces_.back().count;
  return pieces_.back();
}

void AckQueue::acknowledge(std::string_view ack_id) {
  append_bytes(with_room().acks, request::ack_ids, ack_id);
}

void AckQueue::set_deadline(std::string_view ack_id, std::chrono::seconds deadline) {
  Piece& piece = with_room();
  append_varint(piece.deadlines,
                static_cast<std::uint64_t>(std::clamp<std::int64_t>(deadline.count(), 0, 600)));
  append_bytes(piece.ids, request::deadline_ids, ack_id);
}

AckQueue::Piece AckQueue::take() {
  Piece piece = std::move(pieces_.front());
  pieces_.pop_front();
  count_ -= piece.count;
  return piece;
}

void AckQueue::put_back(Piece piece) {
  count_ += piece.count;
  pieces_.push_front(std::move(piece));
}

std::vector<std::string_view> ids_of(std::string_view fields) {
  std::vector<std::string_view> ids;
  Reader reader(fields);
  for (Field f; reader.next(f);) ids.push_back(f.bytes);
  return ids;
}

std::string encode_acknowledge(std::string_view subscription, std::string_view acks) {
  std::string out;
  append_bytes(out, request::subscription, subscription);
  return out.append(acks);
}

std::vector<std::string> encode_modify(std::string_view subscription, const AckQueue::Piece& piece) {
  // The unary request has one deadline for all of its ids.
  std::map<unsigned, std::string> by_deadline;
  const char* deadline = piece.deadlines.data();
  for (const std::string_view id : ids_of(piece.ids)) {
    unsigned seconds = static_cast<unsigned char>(*deadline++);
    if (seconds >= 0x80U) seconds = (seconds & 0x7FU) | static_cast<unsigned>(*deadline++) << 7U;
    append_bytes(by_deadline[seconds], request::deadline_ids, id);
  }
  std::vector<std::string> requests;
  for (const auto& [seconds, ids] : by_deadline) {
    std::string& out = requests.emplace_back();
    append_bytes(out, request::subscription, subscription);
    append_varint_field(out, request::deadlines, seconds);
    out += ids;
  }
  return requests;
}

}  // namespace cfd::pubsub
