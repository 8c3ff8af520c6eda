#include "pubsub/batch.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>

#include "pubsub/wire.hpp"

namespace cfd::pubsub {
namespace {

// Field numbers of google.pubsub.v1.
constexpr unsigned request_topic = 1;
constexpr unsigned request_messages = 2;
constexpr unsigned message_data = 1;
constexpr unsigned message_attributes = 2;
constexpr unsigned message_ordering_key = 5;
constexpr unsigned entry_key = 1;
constexpr unsigned entry_value = 2;
constexpr unsigned response_message_ids = 1;

constexpr std::size_t first_capacity = 18U << 10U;

class BufferPool {
 public:
  std::unique_ptr<Buffer> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        auto buffer = std::move(kept_.back());
        kept_.pop_back();
        return buffer;
      }
    }
    return std::make_unique<Buffer>();
  }

  void give(std::unique_ptr<Buffer> buffer) noexcept {
    if (buffer->capacity() > kept_capacity) return;
    buffer->clear();
    const std::lock_guard lock(mutex_);
    if (kept_.size() < kept_.capacity()) kept_.push_back(std::move(buffer));
  }

  BufferPool() { kept_.reserve(kept_buffers); }

 private:
  static constexpr std::size_t kept_capacity = first_capacity * 16;
  static constexpr std::size_t kept_buffers = 64;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Buffer>> kept_;
};

BufferPool& pool() {
  static auto* const instance = new BufferPool;
  return *instance;
}

std::size_t attribute_size(const Attribute& a) noexcept {
  return wire::bytes_field_size(a.key.size()) + wire::bytes_field_size(a.value.size());
}

}  // namespace

char* Buffer::extend(std::size_t size) {
  const std::size_t needed = size_ + size;
  if (needed > capacity_) {
    // In steps of four, the third of which holds a full batch and the message that made it full.
    const std::size_t grown = std::max({needed, capacity_ * 4, first_capacity});
    auto larger = std::make_unique_for_overwrite<char[]>(grown);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = grown;
  }
  return bytes_.get() + std::exchange(size_, needed);
}

std::shared_ptr<Buffer> take_buffer() {
  return {pool().take().release(), [](Buffer* buffer) { pool().give(std::unique_ptr<Buffer>(buffer)); }};
}

EncodedSize encoded_size(const transport::Outgoing& message) noexcept {
  // Fields with their default value are not written.
  std::size_t size = message.data.empty() ? 0 : wire::bytes_field_size(message.data.size());
  for (const Attribute& a : message.attributes) size += wire::bytes_field_size(attribute_size(a));
  if (!message.ordering_key.empty()) size += wire::bytes_field_size(message.ordering_key.size());
  return {size, wire::bytes_field_size(size)};
}

BatchPtr make_batch(std::string_view topic, std::string_view ordering_key) {
  auto batch = std::make_unique<Batch>();
  batch->request = take_buffer();
  batch->ordering_key = ordering_key;
  batch->prefix_size = wire::bytes_field_size(topic.size());
  wire::put_bytes(batch->request->extend(batch->prefix_size), request_topic, topic);
  return batch;
}

void append(Batch& batch, const transport::Outgoing& message, EncodedSize size, detail::CallStatePtr call) {
  batch.calls.push_back(std::move(call));
  char* out = batch.request->extend(size.field);
  out = wire::put_length(out, request_messages, size.message);
  if (!message.data.empty()) out = wire::put_bytes(out, message_data, message.data);
  for (const Attribute& a : message.attributes) {
    out = wire::put_length(out, message_attributes, attribute_size(a));
    out = wire::put_bytes(out, entry_key, a.key);
    out = wire::put_bytes(out, entry_value, a.value);
  }
  if (!message.ordering_key.empty()) wire::put_bytes(out, message_ordering_key, message.ordering_key);
}

BatchPtr split(Batch& batch) {
  const std::string_view request = batch.request->view();
  const std::size_t kept = batch.calls.size() / 2;
  wire::Reader messages(request.substr(batch.prefix_size));
  wire::Field message;
  for (std::size_t i = 0; i < kept; ++i) messages.next(message);
  const auto cut = static_cast<std::size_t>(message.bytes.data() + message.bytes.size() - request.data());

  // Both halves get buffers of their own: gRPC may still hold on to the one that failed.
  const auto part = [&](std::string_view bytes) {
    auto buffer = take_buffer();
    std::memcpy(buffer->extend(batch.prefix_size), request.data(), batch.prefix_size);
    if (!bytes.empty()) std::memcpy(buffer->extend(bytes.size()), bytes.data(), bytes.size());
    return buffer;
  };
  auto first = part(request.substr(batch.prefix_size, cut - batch.prefix_size));
  auto rest = std::make_unique<Batch>();
  rest->request = part(request.substr(cut));
  rest->prefix_size = batch.prefix_size;
  rest->calls.assign(std::make_move_iterator(batch.calls.begin() + static_cast<std::ptrdiff_t>(kept)),
                     std::make_move_iterator(batch.calls.end()));
  rest->ordering_key = batch.ordering_key;
  rest->epoch = batch.epoch;
  rest->opened = batch.opened;
  rest->deadline = batch.deadline;
  batch.request = std::move(first);
  batch.calls.resize(kept);
  return rest;
}

bool parse_publish_response(std::string_view response, std::vector<std::string_view>& ids) {
  ids.clear();
  wire::Reader reader(response);
  wire::Field field;
  while (reader.next(field)) {
    if (field.number != response_message_ids || field.type != wire::Type::bytes) continue;
    if (ids.size() == max_request_messages) return false;
    ids.push_back(field.bytes);
  }
  return reader.ok();
}

}  // namespace cfd::pubsub
