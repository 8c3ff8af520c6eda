#include "emulator/oidc.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <cfd/error.hpp>

#include "emulator/push_request.hpp"

namespace cfd::emulator {

namespace {

namespace json = boost::json;

constexpr unsigned key_bits = 2048;
constexpr std::chrono::hours token_life{1};
constexpr std::chrono::minutes renewal{5};

std::string base64url(std::string_view bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return text;
}

std::string number(EVP_PKEY* key, const char* parameter) {
  BIGNUM* value = nullptr;
  EVP_PKEY_get_bn_param(key, parameter, &value);
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(value);
  return bytes;
}

/// A subject that is always the same for the same account, and all digits, as Google's are.
std::string subject(const std::string& email) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(email.data()), email.size(), digest);
  std::string digits = "1";
  for (std::size_t i = 0; i < 20; ++i) digits += static_cast<char>('0' + digest[i] % 10);
  return digits;
}

}  // namespace

struct OidcSigner::Key {
  EVP_PKEY* key = EVP_RSA_gen(key_bits);
  std::string id;

  Key() {
    if (key == nullptr) throw Error("OpenSSL cannot make an RSA key");
    const auto modulus = number(key, OSSL_PKEY_PARAM_RSA_N);
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(modulus.data()), modulus.size(), digest);
    for (std::size_t i = 0; i < 20; ++i) id += fmt::format("{:02x}", digest[i]);
  }
  ~Key() { EVP_PKEY_free(key); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  std::string sign(const std::string& content) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
    std::size_t size = signature.size();
    const bool signed_well =
        EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key) == 1 &&
        EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(content.data()), content.size()) == 1;
    EVP_MD_CTX_free(context);
    if (!signed_well) throw Error("OpenSSL cannot sign a token");
    signature.resize(size);
    return signature;
  }
};

OidcSigner::OidcSigner(const Clock& clock) : clock_(clock) {}
OidcSigner::~OidcSigner() = default;

const OidcSigner::Key& OidcSigner::key() {
  if (key_ == nullptr) key_ = std::make_unique<Key>();
  return *key_;
}

std::string OidcSigner::token(const std::string& service_account_email, const std::string& audience) {
  const std::lock_guard lock(mutex_);
  auto& [token, end] = tokens_[{service_account_email, audience}];
  const Time now = clock_.now();
  if (!token.empty() && end - now > renewal) return token;
  const auto issued = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  end = now + token_life;
  const auto account = subject(service_account_email);
  const json::object header{{"alg", "RS256"}, {"kid", key().id}, {"typ", "JWT"}};
  const json::object claims{{"aud", audience},
                            {"azp", account},
                            {"email", service_account_email},
                            {"email_verified", true},
                            {"exp", (issued + token_life).count()},
                            {"iat", issued.count()},
                            {"iss", "https://accounts.google.com"},
                            {"sub", account}};
  const auto content = base64url(json::serialize(header)) + "." + base64url(json::serialize(claims));
  token = content + "." + base64url(key().sign(content));
  return token;
}

std::string OidcSigner::jwks() {
  const std::lock_guard lock(mutex_);
  const json::object entry{{"kty", "RSA"},
                           {"alg", "RS256"},
                           {"use", "sig"},
                           {"kid", key().id},
                           {"n", base64url(number(key().key, OSSL_PKEY_PARAM_RSA_N))},
                           {"e", base64url(number(key().key, OSSL_PKEY_PARAM_RSA_E))}};
  return json::serialize(json::object{{"keys", json::array{entry}}});
}

}  // namespace cfd::emulator
