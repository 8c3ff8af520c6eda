#pragma once

/// \file
/// Every form of HTTP request in which Pub/Sub messages reach a function on Google Cloud.

#include <span>
#include <string>
#include <string_view>

#include <cfd/event.hpp>

#include "http/delivery.hpp"

namespace cfd::http {

/// Reads a request into `delivery`, which is emptied first, by what its headers say:
/// - `Content-Type: application/cloudevents-batch…`: CloudEvents in batch mode;
/// - `ce-specversion`: a CloudEvent in binary mode, around a push; what the push leaves out, the event fills
/// in;
/// - `x-goog-pubsub-message-id`: a push without wrapper, its attributes among the headers;
/// - else: one of the JSON objects of parse_push().
///
/// Headers are case-insensitive. Returns what is wrong, one line; empty where nothing is. Pure; fuzzed.
std::string parse_request(std::span<const Header> headers, std::string& body, Delivery& delivery);

/// A header value as the CloudEvents HTTP binding wants it read: double quotes and their escapes taken away,
/// then one round of percent-decoding. Returns whether the value is well-formed and the result valid UTF-8.
bool decode_header_value(std::string_view value, std::string& decoded);

}  // namespace cfd::http
