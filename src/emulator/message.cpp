#include "emulator/message.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "emulator/wire.hpp"

namespace cfd::emulator {

namespace {

// Field numbers of PubsubMessage and PublishRequest.
constexpr std::uint32_t data_field = 1;
constexpr std::uint32_t attributes_field = 2;
constexpr std::uint32_t message_id_field = 3;
constexpr std::uint32_t publish_time_field = 4;
constexpr std::uint32_t ordering_key_field = 5;
constexpr std::uint32_t topic_field = 1;
constexpr std::uint32_t messages_field = 2;
constexpr std::uint32_t bytes_type = 2;

bool parse_entry(std::string_view entry, std::string_view& key, std::string_view& value) {
  key = value = {};
  wire::Reader reader(entry);
  for (wire::Field field; reader.next(field);) {
    if (field.type != bytes_type) continue;
    if (field.number == 1) key = field.bytes;
    if (field.number == 2) value = field.bytes;
  }
  return reader.ok();
}

Status check_attribute(std::string_view entry) {
  std::string_view key;
  std::string_view value;
  if (!parse_entry(entry, key, value)) return invalid_argument("an attribute is not well-formed protobuf");
  if (key.empty()) return invalid_argument("an attribute has an empty key");
  if (key.size() > max_attribute_key) {
    return invalid_argument(
        fmt::format("an attribute's key has {} bytes; the limit is {}", key.size(), max_attribute_key));
  }
  if (value.size() > max_attribute_value) {
    return invalid_argument(fmt::format("the value of attribute \"{}\" has {} bytes; the limit is {}", key,
                                        value.size(), max_attribute_value));
  }
  if (!wire::is_utf8(key) || !wire::is_utf8(value))
    return invalid_argument("an attribute is not valid UTF-8");
  return {};
}

std::string encode_time(Time time) {
  const auto since_epoch = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  std::string out;
  wire::append_varint(out, 1, static_cast<std::uint64_t>(seconds.count()));
  if (const auto nanos = (since_epoch - seconds).count(); nanos != 0) {
    wire::append_varint(out, 2, static_cast<std::uint64_t>(nanos));
  }
  return out;
}

}  // namespace

/// Lays messages out in a Batch.
class BatchBuilder {
 public:
  BatchBuilder(std::uint64_t first_id, Time publish_time, std::size_t count, std::size_t bytes)
      : batch_(std::make_shared<Batch>()) {
    batch_->first_id_ = first_id;
    batch_->publish_time_ = publish_time;
    batch_->items_.reserve(count);
    batch_->bytes_.reserve(bytes);
    wire::append_bytes(time_field_, publish_time_field, encode_time(publish_time));
  }

  /// Copies what the publisher may set and adds what the server sets.
  void add(std::string_view message) {
    const auto begin = batch_->bytes_.size();
    wire::Reader reader(message);
    std::pair<std::size_t, std::size_t> key{begin, 0};
    for (wire::Field field; reader.next(field);) {
      if (field.number == message_id_field || field.number == publish_time_field) continue;
      batch_->bytes_.append(field.whole);
      if (field.number == ordering_key_field) {
        key = {batch_->bytes_.size() - field.bytes.size(), field.bytes.size()};
      }
    }
    const fmt::format_int id(batch_->first_id_ + batch_->items_.size());
    wire::append_bytes(batch_->bytes_, message_id_field, {id.data(), id.size()});
    batch_->bytes_.append(time_field_);
    finish(begin, key);
  }

  /// Copies a message that was stored before.
  void add_stored(std::string_view message) {
    const auto begin = batch_->bytes_.size();
    batch_->bytes_.append(message);
    wire::Reader reader(message);
    std::pair<std::size_t, std::size_t> key{begin, 0};
    for (wire::Field field; reader.next(field);) {
      if (field.number != ordering_key_field) continue;
      key = {begin + static_cast<std::size_t>(field.bytes.data() - message.data()), field.bytes.size()};
    }
    finish(begin, key);
  }

  std::shared_ptr<Batch> take() { return std::move(batch_); }

 private:
  void finish(std::size_t begin, std::pair<std::size_t, std::size_t> key) {
    batch_->items_.push_back({static_cast<std::uint32_t>(begin),
                              static_cast<std::uint32_t>(batch_->bytes_.size() - begin),
                              static_cast<std::uint32_t>(key.first), static_cast<std::uint32_t>(key.second)});
  }

  std::shared_ptr<Batch> batch_;
  std::string time_field_;
};

Status split_publish_request(std::string_view request, PublishParts& parts) {
  wire::Reader reader(request);
  for (wire::Field field; reader.next(field);) {
    if (field.type != bytes_type) continue;
    if (field.number == topic_field) parts.topic = field.bytes;
    if (field.number == messages_field) {
      if (parts.messages.size() == max_publish_messages) {
        return invalid_argument(fmt::format("a request has more than {} messages", max_publish_messages));
      }
      parts.messages.push_back(field.bytes);
    }
  }
  if (!reader.ok()) return invalid_argument("the request is not a well-formed PublishRequest");
  if (parts.messages.empty()) return invalid_argument("the request has no messages");
  return {};
}

Status check_message(std::string_view message, std::string_view& ordering_key) {
  if (message.size() > max_message_bytes) {
    return invalid_argument(
        fmt::format("the message has {} bytes; the limit is {}", message.size(), max_message_bytes));
  }
  bool has_data = false;
  std::size_t attributes = 0;
  wire::Reader reader(message);
  for (wire::Field field; reader.next(field);) {
    if (field.type != bytes_type) continue;
    if (field.number == data_field) has_data = !field.bytes.empty();
    if (field.number == ordering_key_field) ordering_key = field.bytes;
    if (field.number == attributes_field) {
      if (++attributes > max_attributes) {
        return invalid_argument(fmt::format("the message has more than {} attributes", max_attributes));
      }
      if (auto status = check_attribute(field.bytes); !status.ok()) return status;
    }
  }
  if (!reader.ok()) return invalid_argument("the message is not well-formed protobuf");
  if (!has_data && attributes == 0) return invalid_argument("the message has neither data nor attributes");
  if (ordering_key.size() > max_ordering_key) {
    return invalid_argument(
        fmt::format("the ordering key has {} bytes; the limit is {}", ordering_key.size(), max_ordering_key));
  }
  if (!wire::is_utf8(ordering_key)) return invalid_argument("the ordering key is not valid UTF-8");
  return {};
}

Status check_messages(const PublishParts& parts) {
  // The limit is on the request; tags and lengths of up to a thousand messages are not held against it.
  constexpr std::size_t framing = 8 * max_publish_messages;
  std::size_t bytes = 0;
  std::string_view first_key;
  for (std::size_t i = 0; i < parts.messages.size(); ++i) {
    bytes += parts.messages[i].size();
    if (bytes > max_message_bytes + framing) {
      return invalid_argument(
          fmt::format("the messages of the request have more than {} bytes", max_message_bytes));
    }
    std::string_view key;
    if (auto status = check_message(parts.messages[i], key); !status.ok()) {
      status.message = fmt::format("message {}: {}", i, status.message);
      return status;
    }
    if (i == 0) first_key = key;
    if (key != first_key) return invalid_argument("the messages of one request must share one ordering key");
  }
  return {};
}

BatchPtr build_batch(const PublishParts& parts, std::uint64_t first_id, Time now) {
  constexpr std::size_t server_fields = 48;  // what message_id and publish_time take, at most
  std::size_t bytes = 0;
  for (const auto message : parts.messages) bytes += message.size() + server_fields;
  BatchBuilder builder(first_id, now, parts.messages.size(), bytes);
  for (const auto message : parts.messages) builder.add(message);
  return builder.take();
}

BatchPtr restore_batch(const std::vector<std::string_view>& wires, std::uint64_t first_id,
                       Time publish_time) {
  std::size_t bytes = 0;
  for (const auto message : wires) bytes += message.size();
  BatchBuilder builder(first_id, publish_time, wires.size(), bytes);
  for (const auto message : wires) builder.add_stored(message);
  return builder.take();
}

std::vector<std::pair<std::string_view, std::string_view>> attributes_of(std::string_view message) {
  std::vector<std::pair<std::string_view, std::string_view>> attributes;
  wire::Reader reader(message);
  for (wire::Field field; reader.next(field);) {
    if (field.number != attributes_field || field.type != bytes_type) continue;
    std::string_view key;
    std::string_view value;
    parse_entry(field.bytes, key, value);
    const auto same =
        std::ranges::find(attributes, key, &std::pair<std::string_view, std::string_view>::first);
    if (same == attributes.end())
      attributes.emplace_back(key, value);
    else
      same->second = value;
  }
  return attributes;
}

}  // namespace cfd::emulator
