#include "auth/jwt.hpp"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "codec/base64.hpp"

namespace cfd::auth {
namespace {

namespace json = boost::json;

std::optional<json::object> parse_part(std::string_view part) {
  const auto text = decode_base64url(part);
  if (!text) return std::nullopt;
  json::parse_options options;
  options.max_depth = 4;
  boost::system::error_code error;
  auto value = json::parse(*text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::string text_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::int64_t> number_of(const json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->as_int64();
}

}  // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string standard(text);
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  standard.append((4 - standard.size() % 4) % 4, '=');
  const auto bytes = codec::decode_base64(standard);
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

std::string parse_token(std::string_view text, Token& token) {
  if (text.size() > longest_token) return "the token is too long";
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
    return "the token is no JSON Web Token";
  if (text.substr(second + 1) == "SIGNATURE_REMOVED_BY_GOOGLE")
    return "Cloud Run has verified the token itself and taken its signature away: unset "
           "CLOUD_FUNCTIONS_DISPATCH_PUSH_AUTH_EMAIL and …_AUDIENCE here, or deploy the service with "
           "--allow-unauthenticated";
  const auto header = parse_part(text.substr(0, first));
  const auto claims = parse_part(text.substr(first + 1, second - first - 1));
  auto signature = decode_base64url(text.substr(second + 1));
  if (!header || !claims || !signature) return "the token is no JSON Web Token";
  // The token does not choose how it is verified: "none" would be no signature at all, and HS256 one that
  // anybody can make from the public key.
  if (text_of(*header, "alg") != "RS256") return "the token's algorithm is not RS256";
  if (header->contains("crit")) return "the token asks for extensions";
  token.key_id = text_of(*header, "kid");
  if (token.key_id.empty()) return "the token names no key";
  token.signed_part = text.substr(0, second);
  token.signature = std::move(*signature);
  token.issuer = text_of(*claims, "iss");
  token.audience = text_of(*claims, "aud");
  token.email = text_of(*claims, "email");
  const auto* verified = claims->if_contains("email_verified");
  token.email_verified = verified != nullptr && verified->is_bool() && verified->as_bool();
  token.expires = number_of(*claims, "exp");
  token.issued = number_of(*claims, "iat");
  token.not_before = number_of(*claims, "nbf");
  return {};
}

bool verify_rs256(EVP_PKEY* key, std::string_view signed_part, std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  return context != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
         EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signed_part),
                          signed_part.size()) == 1;
}

}  // namespace cfd::auth
