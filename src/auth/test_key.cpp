#include "auth/test_key.hpp"

#include <chrono>

#include <openssl/core_names.h>
#include <openssl/rsa.h>

namespace cfd::auth {

namespace json = boost::json;

std::string base64url(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

TestKey::TestKey(std::string id, unsigned bits)
    : id_(std::move(id)), key_(EVP_RSA_gen(bits), EVP_PKEY_free) {}

std::string TestKey::number(const char* parameter) const {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key_.get(), parameter, &value);
  const BigNumber owned(value);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  return base64url(bytes);
}

json::object TestKey::entry() const {
  return {{"kty", "RSA"},
          {"alg", "RS256"},
          {"use", "sig"},
          {"kid", id_},
          {"n", number(OSSL_PKEY_PARAM_RSA_N)},
          {"e", number(OSSL_PKEY_PARAM_RSA_E)}};
}

std::string TestKey::sign(const json::object& header, const json::object& claims) const {
  const std::string content = base64url(json::serialize(header)) + "." + base64url(json::serialize(claims));
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())), '\0');
  std::size_t size = signature.size();
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                 reinterpret_cast<const unsigned char*>(content.data()), content.size());
  return content + "." + base64url(signature);
}

std::string TestKey::sign(const json::object& claims) const {
  return sign({{"alg", "RS256"}, {"kid", id_}, {"typ", "JWT"}}, claims);
}

json::object good_claims() {
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  return {{"aud", "https://worker"},
          {"email", "pusher@example.com"},
          {"email_verified", true},
          {"exp", now + 3600},
          {"iat", now},
          {"iss", "https://accounts.google.com"},
          {"sub", "1"}};
}

}  // namespace cfd::auth
