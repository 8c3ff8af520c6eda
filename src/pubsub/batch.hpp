#pragma once

/// \file
/// A PublishRequest under construction, already in its wire form, with the calls that wait for its
/// confirmation.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "transport/transport.hpp"

namespace cfd::pubsub {

using transport::Clock;

/// Pub/Sub's own limits on one PublishRequest.
constexpr std::size_t max_request_messages = 1000;
constexpr std::size_t max_request_bytes = 10'000'000;

/// Bytes that grow without being initialized.
class Buffer {
 public:
  std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  void clear() noexcept { size_ = 0; }

  /// Room for `size` more bytes, counted as used: the caller fills them.
  char* extend(std::size_t size);

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// An empty buffer. Buffers that are let go of are kept for reuse, a few of moderate size: memory that goes
/// back to the kernel costs more in page faults than the whole rest of a call. Thread-safe; may outlive
/// everything.
std::shared_ptr<Buffer> take_buffer();

/// The room that a message takes: as a PubsubMessage, and as a field of a PublishRequest.
struct EncodedSize {
  std::size_t message = 0;
  std::size_t field = 0;
};
EncodedSize encoded_size(const transport::Outgoing& message) noexcept;

struct Batch {
  std::shared_ptr<Buffer> request;
  std::vector<detail::CallStatePtr> calls;
  std::string ordering_key;
  std::uint64_t epoch = 0;  ///< which flush() waits for it
  Clock::time_point opened;
  Clock::time_point deadline;
  int failures = 0;  ///< attempts so far, all failed

  /// Bytes of the messages, without the topic.
  std::size_t payload() const noexcept { return request->size() - prefix_size; }

  std::size_t prefix_size = 0;  ///< where the messages begin in `request`
};

using BatchPtr = std::unique_ptr<Batch>;

/// An empty batch for `topic`.
BatchPtr make_batch(std::string_view topic, std::string_view ordering_key);

/// Appends a message; `size` is its encoded_size().
void append(Batch& batch, const transport::Outgoing& message, EncodedSize size, detail::CallStatePtr call);

/// Cuts the second half off a batch of at least two messages.
BatchPtr split(Batch& batch);

/// The message ids of a PublishResponse, as views into it; false where the response is malformed.
bool parse_publish_response(std::string_view response, std::vector<std::string_view>& ids);

}  // namespace cfd::pubsub
