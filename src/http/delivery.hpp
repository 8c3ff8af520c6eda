#pragma once

/// \file
/// The messages that one HTTP request brings.

#include <deque>
#include <string>
#include <utility>
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

/// The outcome that stands for both, where one answer speaks for several messages: retry before reject before
/// executed, because a delivery that is answered with anything but success comes again as a whole.
inline Outcome worse(Outcome a, Outcome b) {
  const auto rank = [](const Outcome& outcome) {
    return outcome.verdict == Verdict::retry ? 2 : outcome.verdict == Verdict::reject ? 1 : 0;
  };
  return rank(b) > rank(a) ? std::move(b) : std::move(a);
}

}  // namespace cfd::http
