#pragma once

/// \file
/// Published messages as the server keeps them: the serialized form that is delivered, one copy for all
/// subscriptions.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/clock.hpp"
#include "emulator/status.hpp"

namespace cfd::emulator {

/// Limits of the protocol, in bytes and counts.
inline constexpr std::size_t max_message_bytes = 10'000'000;
inline constexpr std::size_t max_publish_messages = 1'000;
inline constexpr std::size_t max_attributes = 100;
inline constexpr std::size_t max_attribute_key = 256;
inline constexpr std::size_t max_attribute_value = 1'024;
inline constexpr std::size_t max_ordering_key = 1'024;

/// The messages of one publish request, in one block of memory. Immutable once published.
class Batch {
 public:
  std::size_t size() const noexcept { return items_.size(); }
  Time publish_time() const noexcept { return publish_time_; }
  std::uint64_t id(std::size_t index) const noexcept { return first_id_ + index; }

  /// The message as a serialized PubsubMessage, with message_id and publish_time.
  std::string_view wire(std::size_t index) const noexcept {
    return view(items_[index].offset, items_[index].size);
  }
  std::string_view ordering_key(std::size_t index) const noexcept {
    return view(items_[index].key_offset, items_[index].key_size);
  }

  /// All messages, one after the other.
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  friend class BatchBuilder;
  struct Item {
    std::uint32_t offset, size, key_offset, key_size;
  };
  std::string_view view(std::size_t offset, std::size_t size) const noexcept {
    return std::string_view{bytes_}.substr(offset, size);
  }

  Time publish_time_;
  std::uint64_t first_id_ = 0;
  std::string bytes_;
  std::vector<Item> items_;
};

using BatchPtr = std::shared_ptr<const Batch>;

/// One message of a batch.
struct MessageRef {
  BatchPtr batch;
  std::uint32_t index = 0;

  std::uint64_t id() const noexcept { return batch->id(index); }
  std::string_view wire() const noexcept { return batch->wire(index); }
  std::string_view ordering_key() const noexcept { return batch->ordering_key(index); }
};

/// A PublishRequest taken apart; views into the request.
struct PublishParts {
  std::string_view topic;
  std::vector<std::string_view> messages;
};

/// Takes a serialized PublishRequest apart and checks what the protocol demands of a request as a whole.
Status split_publish_request(std::string_view request, PublishParts& parts);

/// Checks one serialized PubsubMessage against the protocol's rules and limits.
Status check_message(std::string_view message, std::string_view& ordering_key);

/// Checks each message, and that all share one ordering key. INVALID_ARGUMENT names a message by its
/// position.
Status check_messages(const PublishParts& parts);

/// Builds the batch of a checked request: messages first_id, first_id + 1, …, all published at `now`.
BatchPtr build_batch(const PublishParts& parts, std::uint64_t first_id, Time now);

/// Builds a batch again from its messages' stored form (Batch::wire).
BatchPtr restore_batch(const std::vector<std::string_view>& wires, std::uint64_t first_id, Time publish_time);

/// The attributes of a serialized PubsubMessage, in order; a repeated key counts with its last value.
std::vector<std::pair<std::string_view, std::string_view>> attributes_of(std::string_view message);

}  // namespace cfd::emulator
