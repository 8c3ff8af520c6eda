#include "http/push_body.hpp"

#include <array>
#include <limits>

#include "http/base64.hpp"
#include "http/json_reader.hpp"

namespace cfd::http {
namespace {

// Pub/Sub allows 100 and adds a few of its own, on the way to a dead-letter topic for one.
constexpr std::size_t most_attributes = 128;

enum At : Place {
  start = place_start,
  push,
  message,
  attributes,
  attribute,
  data,
  id,
  id_snake,
  time,
  time_snake,
  key,
  key_snake,
  subscription,
  attempt
};

constexpr std::array steps{
    Step{start, "", push},
    Step{push, "message", message},
    Step{push, "subscription", subscription},
    Step{push, "deliveryAttempt", attempt},
    Step{message, "data", data},
    Step{message, "attributes", attributes},
    Step{message, "messageId", id},
    Step{message, "message_id", id_snake},
    Step{message, "publishTime", time},
    Step{message, "publish_time", time_snake},
    Step{message, "orderingKey", key},
    Step{message, "ordering_key", key_snake},
    Step{attributes, "", attribute},
};

class PushReader final : public JsonSink {
 public:
  PushReader(std::string& body, Delivery& delivery) : body_(body), delivery_(delivery) {}

  const char* object_begin(Place place) override {
    if (place == push) return nullptr;
    if (place != message && place != attributes) return unexpected();
    bool& seen = place == message ? has_message_ : has_attributes_;
    if (seen) return "names a member twice";
    seen = true;
    return nullptr;
  }

  const char* object_end(Place place) override { return place == push ? finish() : nullptr; }

  const char* string(Place place, Text name, Text value) override {
    if (place == push || place == message || place == attributes || place == attempt) return unexpected();
    if (place != attribute) {
      std::string_view& slot = texts_[place];
      if (slot.data() != nullptr) return "names a member twice";
      slot = kept(value);
      return nullptr;
    }
    if (message_.attributes.size() == most_attributes) return "has more than 128 attributes";
    for (const Attribute& known : message_.attributes)
      if (known.key == name.value) return "names an attribute twice";
    message_.attributes.push_back({kept(name), kept(value)});
    return nullptr;
  }

  const char* integer(Place place, std::int64_t value) override {
    if (place != attempt || value < 0 || value > std::numeric_limits<std::int32_t>::max())
      return unexpected();
    message_.event.delivery_attempt = static_cast<std::int32_t>(value);
    return nullptr;
  }

  const char* array_begin(Place) override { return unexpected(); }
  const char* other(Place) override { return unexpected(); }

  bool complete() const { return complete_; }

 private:
  static const char* unexpected() {
    return "is no Pub/Sub push: a member has another type than Pub/Sub gives it";
  }

  std::string_view kept(Text text) {
    return text.in_document ? text.value : delivery_.unescaped.emplace_back(text.value);
  }

  std::string_view either(At first, At second) const {
    return texts_[first].data() != nullptr ? texts_[first] : texts_[second];
  }

  const char* finish() {
    if (!has_message_) return "is no Pub/Sub push: it has no member \"message\"";
    const auto bytes = decode_base64(writable(texts_[data]));
    if (!bytes) return "has data that is no base64";
    Event& event = message_.event;
    event.data = *bytes;
    event.id = either(id, id_snake);
    event.publish_time = either(time, time_snake);
    event.ordering_key = either(key, key_snake);
    event.subscription = texts_[subscription];
    delivery_.messages.push_back(std::move(message_));
    Message& kept_message = delivery_.messages.back();
    kept_message.event.attributes = kept_message.attributes;
    complete_ = true;
    return nullptr;
  }

  // The same bytes, through whoever owns them: the body, or the copy made of a string with escapes.
  std::span<char> writable(std::string_view text) {
    if (text.empty()) return {};
    if (text.data() >= body_.data() && text.data() < body_.data() + body_.size())
      return {body_.data() + (text.data() - body_.data()), text.size()};
    for (std::string& copy : delivery_.unescaped)
      if (copy.data() == text.data()) return copy;
    return {};
  }

  std::string& body_;
  Delivery& delivery_;
  Message message_;
  std::array<std::string_view, attempt + 1> texts_{};
  bool has_message_ = false;
  bool has_attributes_ = false;
  bool complete_ = false;
};

}  // namespace

std::string parse_push(std::string& body, Delivery& delivery) {
  delivery.messages.clear();
  delivery.unescaped.clear();
  PushReader reader(body, delivery);
  std::string fault = walk_json(body, steps, reader);
  if (fault.empty() && !reader.complete()) fault = "is no Pub/Sub push: it is no JSON object";
  if (!fault.empty()) delivery.messages.clear();
  return fault;
}

}  // namespace cfd::http
