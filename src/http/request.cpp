#include "http/request.hpp"

#include <boost/beast/core/string.hpp>

#include "http/push_body.hpp"
#include "http/utf8.hpp"
#include "log/trace.hpp"

namespace cfd::http {
namespace {

constexpr std::string_view pubsub_prefix = "x-goog-pubsub-";
// Pub/Sub's 100 attributes and the fields of HTTP and of Google's front ends.
constexpr std::size_t most_headers = 256;

bool same(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && same(text.substr(0, prefix.size()), prefix);
}

const Header* find(std::span<const Header> headers, std::string_view name) {
  for (const Header& header : headers)
    if (same(header.name, name)) return &header;
  return nullptr;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool unquote(std::string_view value, std::string& out) {
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"') {
      quoted = !quoted;
    } else if (quoted && value[i] == '\\') {
      if (++i == value.size()) return false;
      out += value[i];
    } else {
      out += value[i];
    }
  }
  return !quoted;
}

bool percent_decode(std::string& text) {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text.size(); ++from, ++to) {
    if (text[from] != '%') {
      text[to] = text[from];
      continue;
    }
    if (text.size() - from < 3) return false;
    const int high = hex_digit(text[from + 1]);
    const int low = hex_digit(text[from + 2]);
    if (high < 0 || low < 0) return false;
    text[to] = static_cast<char>(high * 16 + low);
    from += 2;
  }
  text.resize(to);
  return true;
}

// What the event around a push says, where the push itself does not.
std::string fill_in(std::span<const Header> headers, std::string_view name, Delivery& delivery,
                    std::string_view& field) {
  const Header* header = find(headers, name);
  if (header == nullptr || !field.empty()) return {};
  std::string& decoded = delivery.unescaped.emplace_back();
  if (!decode_header_value(header->value, decoded))
    return "came with a malformed header " + std::string(name);
  field = decoded;
  return {};
}

std::string parse_binary_event(std::span<const Header> headers, std::string& body, Delivery& delivery) {
  std::string fault = parse_push(body, delivery);
  if (!fault.empty()) return fault;
  Event& event = delivery.messages.front().event;
  fault = fill_in(headers, "ce-id", delivery, event.id);
  if (fault.empty()) fault = fill_in(headers, "ce-time", delivery, event.publish_time);
  if (!fault.empty()) delivery.messages.clear();
  return fault;
}

std::string_view value_or_empty(std::span<const Header> headers, std::string_view name) {
  const Header* header = find(headers, name);
  return header != nullptr ? header->value : std::string_view();
}

// Attributes are headers of their own name, which cannot be told from the rest: all are taken, but for the
// sender's proof of identity, which no function needs to see.
std::string parse_unwrapped(std::span<const Header> headers, std::string& body, Delivery& delivery) {
  delivery.messages.clear();
  delivery.unescaped.clear();
  Message& message = delivery.messages.emplace_back();
  message.event.id = value_or_empty(headers, "x-goog-pubsub-message-id");
  message.event.publish_time = value_or_empty(headers, "x-goog-pubsub-publish-time");
  message.event.subscription = value_or_empty(headers, "x-goog-pubsub-subscription-name");
  message.event.ordering_key = value_or_empty(headers, "x-goog-pubsub-ordering-key");
  message.event.data = body;
  message.attributes.reserve(headers.size());
  for (const Header& header : headers)
    if (!starts_with(header.name, pubsub_prefix) && !same(header.name, "authorization"))
      message.attributes.push_back({header.name, header.value});
  message.event.attributes = message.attributes;
  return {};
}

std::string parse_by_form(std::span<const Header> headers, std::string& body, Delivery& delivery) {
  if (headers.size() > most_headers) return "came with more than 256 headers";
  // Structured mode needs no branch of its own: its JSON is told apart by its members. The batch is tested
  // for first, because its content type begins with that of structured mode.
  if (starts_with(value_or_empty(headers, "content-type"), "application/cloudevents-batch"))
    return parse_batch(body, delivery);
  if (starts_with(value_or_empty(headers, "content-type"), "application/cloudevents"))
    return parse_push(body, delivery);
  if (find(headers, "ce-specversion") != nullptr) return parse_binary_event(headers, body, delivery);
  if (find(headers, "x-goog-pubsub-message-id") != nullptr) return parse_unwrapped(headers, body, delivery);
  return parse_push(body, delivery);
}

std::string_view trace_of(std::span<const Header> headers) {
  const std::string_view w3c = value_or_empty(headers, "traceparent");
  if (log::parse_traceparent(w3c)) return w3c;
  const std::string_view google = value_or_empty(headers, "x-cloud-trace-context");
  return log::parse_cloud_trace_context(google) ? google : std::string_view();
}

}  // namespace

std::string parse_request(std::span<const Header> headers, std::string& body, Delivery& delivery) {
  delivery.messages.clear();
  std::string fault = parse_by_form(headers, body, delivery);
  const std::string_view trace = trace_of(headers);
  for (Message& message : delivery.messages) message.event.trace = trace;
  return fault;
}

bool decode_header_value(std::string_view value, std::string& decoded) {
  decoded.clear();
  return unquote(value, decoded) && percent_decode(decoded) && is_utf8(decoded);
}

}  // namespace cfd::http
