#include "http/push_body.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <utility>

#include "codec/base64.hpp"
#include "http/json_reader.hpp"

namespace cfd::http {
namespace {

// Pub/Sub allows 100 and adds a few of its own, on the way to a dead-letter topic for one.
constexpr std::size_t most_attributes = 128;

constexpr std::size_t most_events = 1'000;  // what one Pub/Sub request may hold

// Where in a body the parser is. Several members can bring the same thing: see either().
enum At : Place {
  start = place_start,
  batch,
  event,    // the object that each form is
  inner,    // its member "data": what a CloudEvent or a background event holds
  context,  // of a background event
  message,  // of a push
  attributes,
  attribute,
  data,
  encoded,  // the member "data_base64" of an event: its "data" as the base64 of its JSON
  id,
  id_snake,
  id_outside,  // of the event around the message
  time,
  time_snake,
  time_outside,
  key,
  key_snake,
  subscription,
  attempt,
  function,  // of a plain call
  count_of_places
};

// What the members of an event mean, the same in a batch and alone.
constexpr std::array event_steps{
    Step{event, "message", message},
    Step{event, "subscription", subscription},
    Step{event, "deliveryAttempt", attempt},
    Step{event, "data", inner},
    Step{event, "data_base64", encoded},
    Step{event, "id", id_outside},
    Step{event, "time", time_outside},
    Step{event, "context", context},
    Step{event, "eventId", id_outside},
    Step{event, "timestamp", time_outside},
    Step{event, "function", function},
    Step{context, "eventId", id_outside},
    Step{context, "timestamp", time_outside},
    Step{inner, "message", message},
    Step{inner, "subscription", subscription},
    Step{inner, "deliveryAttempt", attempt},
    Step{inner, "data", data},
    Step{inner, "attributes", attributes},
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

template <std::size_t N>
constexpr auto with_event_steps(const std::array<Step, N>& first) {
  std::array<Step, N + event_steps.size()> all{};
  std::copy(first.begin(), first.end(), all.begin());
  std::copy(event_steps.begin(), event_steps.end(), all.begin() + N);
  return all;
}

constexpr auto single_steps = with_event_steps(std::array{Step{start, "", event}});
constexpr auto batch_steps = with_event_steps(std::array{Step{start, "", batch}, Step{batch, "", event}});
// Of what stood in base64. No way leads to an event from here, so base64 within base64 is never looked into.
constexpr auto encoded_steps = with_event_steps(std::array{Step{start, "", inner}});

class PushReader final : public JsonSink {
 public:
  PushReader(std::string& body, Delivery& delivery, bool plain_call_allowed)
      : body_(body), delivery_(delivery), plain_call_allowed_(plain_call_allowed) {}

  const char* object_begin(Place place) override {
    if (place == event) {
      message_ = {};
      texts_ = {};
      seen_ = {};
      return delivery_.messages.size() == most_events ? "has more than 1000 events" : nullptr;
    }
    if (place != message && place != attributes && place != inner && place != context) return unexpected();
    return std::exchange(seen_[place], true) ? "names a member twice" : nullptr;
  }

  const char* object_end(Place place) override { return place == event ? finish() : nullptr; }

  const char* string(Place place, Text name, Text value) override {
    if (place == attribute) return add_attribute(name, value);
    if (place < data || place == attempt) return unexpected();
    std::string_view& slot = texts_[place];
    if (slot.data() != nullptr) return "names a member twice";
    slot = kept(value);
    return nullptr;
  }

  const char* integer(Place place, std::int64_t value) override {
    if (place != attempt || value < 0 || value > std::numeric_limits<std::int32_t>::max())
      return unexpected();
    message_.event.delivery_attempt = static_cast<std::int32_t>(value);
    return nullptr;
  }

  const char* array_begin(Place place) override { return place == batch ? nullptr : unexpected(); }
  const char* other(Place) override { return unexpected(); }

 private:
  static const char* unexpected() {
    return "is no Pub/Sub push: a member has another type than Pub/Sub gives it";
  }

  const char* add_attribute(Text name, Text value) {
    if (message_.attributes.size() == most_attributes) return "has more than 128 attributes";
    for (const Attribute& known : message_.attributes)
      if (known.key == name.value) return "names an attribute twice";
    message_.attributes.push_back({kept(name), kept(value)});
    return nullptr;
  }

  // An empty string that is there must not look like one that is not.
  std::string_view kept(Text text) {
    return text.in_document ? text.value : delivery_.unescaped.emplace_back(text.value);
  }

  std::string_view first_of(std::initializer_list<At> places) const {
    for (const At place : places)
      if (texts_[place].data() != nullptr) return texts_[place];
    return {};
  }

  // Reads "data_base64" as if its JSON stood in "data", where it stands: it takes no memory of its own.
  const char* read_encoded() {
    if (seen_[inner]) return "has both \"data\" and \"data_base64\": a CloudEvent has one of them";
    const auto document = codec::decode_base64(writable(texts_[encoded]));
    if (!document) return "has a data_base64 that is no base64";
    const std::string fault = walk_json(*document, encoded_steps, *this);
    if (fault.empty()) return nullptr;
    fault_ = "has a data_base64 that " + fault;
    return fault_.c_str();
  }

  const char* finish() {
    // Beside "message" it is an unknown member, like any other that Pub/Sub does not send.
    if (texts_[encoded].data() != nullptr && (seen_[inner] || !seen_[message]))
      if (const char* fault = read_encoded(); fault != nullptr) return fault;
    Event& it = message_.event;
    if (seen_[message] || seen_[inner]) {
      const auto bytes = codec::decode_base64(writable(texts_[data]));
      if (!bytes) return "has data that is no base64";
      it.data = *bytes;
    } else if (texts_[function].data() != nullptr && plain_call_allowed_) {
      it.data = body_;
    } else {
      return "is no Pub/Sub push: it has no member \"message\"";
    }
    it.id = first_of({id, id_snake, id_outside});
    it.publish_time = first_of({time, time_snake, time_outside});
    it.ordering_key = first_of({key, key_snake});
    it.subscription = texts_[subscription];
    delivery_.messages.push_back(std::move(message_));
    Message& kept_message = delivery_.messages.back();
    kept_message.event.attributes = kept_message.attributes;
    return nullptr;
  }

  // The same bytes, through whoever owns them: the body, or the copy made of a string with escapes.
  std::span<char> writable(std::string_view text) {
    if (text.empty()) return {};
    if (text.data() >= body_.data() && text.data() < body_.data() + body_.size())
      return {body_.data() + (text.data() - body_.data()), text.size()};
    // From the end, as it is one of this event's own; what base64 held may stand in the midst of one.
    for (auto copy = delivery_.unescaped.rbegin(); copy != delivery_.unescaped.rend(); ++copy)
      if (text.data() >= copy->data() && text.data() < copy->data() + copy->size())
        return {copy->data() + (text.data() - copy->data()), text.size()};
    return {};
  }

  std::string& body_;
  Delivery& delivery_;
  bool plain_call_allowed_;  // it is the whole body
  Message message_;
  std::array<std::string_view, count_of_places> texts_{};
  std::array<bool, count_of_places> seen_{};
  std::string fault_;  // where it is no literal
};

std::string parse(std::string& body, Delivery& delivery, std::span<const Step> steps, bool plain_call_allowed,
                  const char* nothing) {
  delivery.messages.clear();
  delivery.unescaped.clear();
  PushReader reader(body, delivery, plain_call_allowed);
  std::string fault = walk_json(body, steps, reader);
  if (fault.empty() && delivery.messages.empty()) fault = nothing;
  if (!fault.empty()) delivery.messages.clear();
  return fault;
}

}  // namespace

std::string parse_push(std::string& body, Delivery& delivery) {
  return parse(body, delivery, single_steps, true, "is no Pub/Sub push: it is no JSON object");
}

std::string parse_batch(std::string& body, Delivery& delivery) {
  return parse(body, delivery, batch_steps, false, "is no batch of CloudEvents: it has none");
}

}  // namespace cfd::http
