#pragma once

/// \file
/// Names of the message's attributes, format version 1; docs/wire-format.md is the specification.

#include <cstddef>
#include <string_view>

namespace cfd::codec::attribute {

inline constexpr std::string_view function = "function";    ///< the function's name; filters route by it
inline constexpr std::string_view format = "cfd";           ///< format version
inline constexpr std::string_view call_id = "call_id";      ///< 32 hexadecimal digits
inline constexpr std::string_view signature = "signature";  ///< fingerprint of the caller's signature
inline constexpr std::string_view build = "build";          ///< the caller's build
inline constexpr std::string_view content_type = "content_type";          ///< absent: application/msgpack
inline constexpr std::string_view content_encoding = "content_encoding";  ///< absent: identity
inline constexpr std::string_view hmac = "hmac";  ///< signature by a shared key; see src/signing
inline constexpr std::string_view traceparent =
    "googclient_traceparent";  ///< W3C trace context, as Google's clients

}  // namespace cfd::codec::attribute

namespace cfd::codec {

inline constexpr std::string_view format_version = "1";
inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view msgpack_type = "application/msgpack";

/// Pub/Sub's limit on a message, data and attributes together, in bytes.
inline constexpr std::size_t max_message_size = 10'000'000;

}  // namespace cfd::codec
