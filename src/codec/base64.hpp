#pragma once

/// \file
/// Base64 (RFC 4648 section 4), as JSON carries bytes.

#include <string>
#include <string_view>

namespace cfd::codec {

/// Decodes the standard alphabet, and the URL-safe one of section 5, with or without padding. Returns false,
/// leaving `decoded` unspecified, for anything else: other characters, a length that no encoder makes, bits
/// set beyond the end.
bool decode_base64(std::string_view text, std::string& decoded);

/// Encodes with the standard alphabet and padding.
std::string encode_base64(std::string_view bytes);

}  // namespace cfd::codec
