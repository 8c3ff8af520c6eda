// What a push brings as its proof of identity, and the keys that it is verified with.

#include <cstdint>
#include <cstdlib>

#include "auth/jwks.hpp"
#include "auth/jwt.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cfd::auth::Token token;
  const std::string fault = cfd::auth::parse_token(text, token);
  if (fault.find('\n') != std::string::npos) std::abort();
  // What is taken apart is what was signed.
  if (fault.empty() && !text.starts_with(token.signed_part + ".")) std::abort();
  cfd::auth::Keys keys;
  if (cfd::auth::parse_key_set(text, keys).empty() == keys.empty()) std::abort();
  return 0;
}
