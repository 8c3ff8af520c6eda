#pragma once

/// \file
/// The messages that one HTTP request brings.

#include <deque>
#include <string>
#include <vector>

#include <cfd/event.hpp>

namespace cfd::http {

/// One message. `event.attributes` is `attributes`; moving keeps it valid.
struct Message {
  Event event;
  std::vector<Attribute> attributes;
};

/// What a request brings: one message, or those of a batch. The events view into the request's headers and
/// body, which must outlive the delivery, and into `unescaped`.
struct Delivery {
  std::vector<Message> messages;
  std::deque<std::string> unescaped;
};

}  // namespace cfd::http
