#include "auth/hmac.hpp"

#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cfd/error.hpp>

#include "auth/openssl.hpp"

namespace cfd::auth {

signing::Mac hmac_sha256(std::string_view key, std::span<const std::string_view> parts) {
  // Looking an algorithm up takes longer than using it. Never freed: calls are made until the very end.
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  const std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>> context(EVP_MAC_CTX_new(algorithm));
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  bool good = context != nullptr && EVP_MAC_init(context.get(), bytes(key), key.size(), parameters) == 1;
  for (const std::string_view part : parts)
    good = good && EVP_MAC_update(context.get(), bytes(part), part.size()) == 1;
  signing::Mac mac{};
  std::size_t size = 0;
  good = good && EVP_MAC_final(context.get(), mac.data(), &size, mac.size()) == 1;
  if (!good || size != mac.size()) throw Error("OpenSSL cannot compute an HMAC");
  return mac;
}

bool equal(const signing::Mac& a, const signing::Mac& b) noexcept {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace cfd::auth
