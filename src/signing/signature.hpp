#pragma once

/// \file
/// Signatures of messages, so that the right to publish to a topic is not the right to execute;
/// docs/wire-format.md, section 7, is the specification, ADR 0007 the reason.

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <cfd/event.hpp>

#include "signing/keys.hpp"

namespace cfd::signing {

/// What a signature is over. Views.
struct Content {
  std::span<const Attribute> attributes;
  std::string_view ordering_key;
  std::string_view data;
};

/// The bytes that precede the data in what is signed.
std::string canonical_head(const Content& content, std::string_view key_id, std::string_view time);

/// The value of the attribute `hmac` of a message, signed with the first key at `time`, in seconds since the
/// epoch: `KEY_ID;TIME;HEX`.
std::string sign(const Keys& keys, const Content& content, std::int64_t time);

/// Why a message is not to be executed, at `now` in seconds since the epoch; empty where its signature is
/// good. One line; holds nothing that helps to forge one.
std::string verify(const Keys& keys, const Content& content, std::int64_t now);

/// Seconds since the epoch.
std::int64_t now_seconds();

}  // namespace cfd::signing
