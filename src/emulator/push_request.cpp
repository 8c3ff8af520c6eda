#include "emulator/push_request.hpp"

#include <algorithm>

#include <boost/json.hpp>
#include <openssl/evp.h>

#include "cfd/pubsub/v1/pubsub.pb.h"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

std::string wrapped_body(const PushForm& form, const Delivery& delivery,
                         const pubsub::v1::PubsubMessage& message) {
  const auto time = format_time(delivery.message.batch->publish_time()) + "Z";
  json::object content;
  if (!message.attributes().empty()) {
    json::object attributes;
    for (const auto& [key, value] : message.attributes()) attributes[key] = value;
    content["attributes"] = std::move(attributes);
  }
  if (!message.data().empty()) content["data"] = to_base64(message.data());
  // Both spellings are part of the format, so that each side's JSON reader finds its own.
  content["messageId"] = message.message_id();
  content["message_id"] = message.message_id();
  if (!message.ordering_key().empty()) content["orderingKey"] = message.ordering_key();
  content["publishTime"] = time;
  content["publish_time"] = time;
  json::object body;
  body["message"] = std::move(content);
  body["subscription"] = form.subscription;
  if (delivery.attempt != 0) body["deliveryAttempt"] = delivery.attempt;
  return json::serialize(body);
}

/// What may stand in an HTTP header without changing the request around it.
bool fits_header(std::string_view name, std::string_view value) {
  const auto token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  };
  return !name.empty() && std::ranges::all_of(name, token) && std::ranges::none_of(value, [](char c) {
    return static_cast<unsigned char>(c) < 0x20U || c == 0x7F;
  });
}

}  // namespace

HttpRequest make_push_request(const PushForm& form, const Delivery& delivery) {
  pubsub::v1::PubsubMessage message;
  const auto wire = delivery.message.wire();
  message.ParseFromArray(wire.data(), static_cast<int>(wire.size()));
  HttpRequest request;
  request.headers = {{"User-Agent", "CloudPubSub-Google"}, {"Accept", "application/json"}};
  if (form.wrapped) {
    request.headers.emplace_back("Content-Type", "application/json");
    request.body = wrapped_body(form, delivery, message);
    return request;
  }
  if (form.write_metadata) {
    for (const auto& [key, value] : message.attributes()) {
      if (fits_header(key, value)) request.headers.emplace_back(key, value);
    }
    request.headers.emplace_back("x-goog-pubsub-subscription-name", form.subscription);
    request.headers.emplace_back("x-goog-pubsub-message-id", message.message_id());
    request.headers.emplace_back("x-goog-pubsub-publish-time",
                                 format_time(delivery.message.batch->publish_time()) + "Z");
    if (fits_header("key", message.ordering_key()) && !message.ordering_key().empty()) {
      request.headers.emplace_back("x-goog-pubsub-ordering-key", message.ordering_key());
    }
  }
  request.body = std::move(*message.mutable_data());
  return request;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace cfd::emulator
