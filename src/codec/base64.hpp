#pragma once

/// \file
/// Base64 as Pub/Sub's JSON carries bytes: the standard alphabet of RFC 4648, padded.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace cfd::codec {

/// Decodes `text` in place and returns the bytes, at its start; empty where it is no canonical base64: a
/// character outside the alphabet, a length or padding that does not fit, or bits behind the last byte.
std::optional<std::string_view> decode_base64(std::span<char> text) noexcept;

}  // namespace cfd::codec
