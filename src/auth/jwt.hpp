#pragma once

/// \file
/// JSON Web Tokens as Google signs them: RFC 7519 in the compact form, RS256 and nothing else.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/openssl.hpp"

namespace cfd::auth {

/// Longest token that is looked at, in bytes. Google's have about 1,000.
inline constexpr std::size_t longest_token = 8'192;

/// A token taken apart; nothing in it is believed until the signature is verified.
struct Token {
  std::string key_id;
  std::string signed_part;  ///< what the signature is over
  std::string signature;
  std::string issuer, audience, email;
  bool email_verified = false;
  std::optional<std::int64_t> expires, issued, not_before;  ///< seconds since the epoch
};

/// Takes `text` apart into `token`. Returns what is wrong, one line without anything of the token's content;
/// empty where nothing is. A token that names any algorithm but RS256 is wrong, and one that asks for
/// extensions (`crit`).
std::string parse_token(std::string_view text, Token& token);

/// Whether `signature` is that of `signed_part` by this RSA key, PKCS #1 v1.5 with SHA-256.
bool verify_rs256(EVP_PKEY* key, std::string_view signed_part, std::string_view signature);

/// Base64 with the alphabet of URLs and no padding; empty where `text` is none.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace cfd::auth
