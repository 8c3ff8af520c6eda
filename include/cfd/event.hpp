#pragma once

/// \file
/// A message as it arrives at the executing side, and what came of it. Shared by push and pull.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cfd {

/// One Pub/Sub message attribute. Views into memory that the holder of the Event owns.
struct Attribute {
  std::string_view key;
  std::string_view value;
};

/// One header of an HTTP request. Views, as an Attribute's.
struct Header {
  std::string_view name;  ///< case-insensitive
  std::string_view value;
};

/// A delivered Pub/Sub message. All views must outlive the Event; nothing is copied.
struct Event {
  std::string_view id;            ///< Pub/Sub's message id, the event id of the log lines
  std::string_view publish_time;  ///< RFC 3339, as Pub/Sub gave it; may be empty
  std::string_view subscription;  ///< full or short name of the subscription; may be empty
  std::string_view ordering_key;
  std::string_view data;  ///< the message's bytes, decoded from base64 where the transport used it
  std::span<const Attribute> attributes;
  std::int32_t delivery_attempt = 0;  ///< zero unless the subscription has a dead-letter policy
  std::string_view trace = {};  ///< `traceparent` or `X-Cloud-Trace-Context` of the request that brought it

  /// Value of attribute `key`; empty where there is none.
  std::string_view attribute(std::string_view key) const noexcept {
    for (const Attribute& a : attributes)
      if (a.key == key) return a.value;
    return {};
  }
};

/// What becomes of a delivered message.
enum class Verdict : std::uint8_t {
  executed,  ///< the function ran and returned: acknowledge
  retry,     ///< not now: not acknowledged, Pub/Sub delivers it again
  reject,    ///< never: not acknowledged as done, the dead-letter policy takes it
};

/// A verdict with its reason.
struct Outcome {
  Verdict verdict = Verdict::executed;
  std::string reason;                  ///< empty when executed; one line, for the log, never for the sender
  std::chrono::milliseconds after{0};  ///< with Verdict::retry: the wish of cfd::Retry
};

}  // namespace cfd
