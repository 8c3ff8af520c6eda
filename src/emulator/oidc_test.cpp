#include "emulator/oidc.hpp"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

namespace cfd::emulator {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

std::string decode(std::string text) {
  for (char& c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  const auto padding = (4 - text.size() % 4) % 4;
  text.append(padding, '=');
  std::string bytes(text.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  bytes.resize(bytes.size() - padding);
  return bytes;
}

BIGNUM* number(const json::value& key, const char* name) {
  const auto bytes = decode(std::string(key.at(name).as_string()));
  return BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()),
                   nullptr);
}

/// Verifies as a receiver does: by the key of the JWKS alone.
bool verifies(const std::string& content, const std::string& signature, const json::value& key) {
  BIGNUM* n = number(key, "n");
  BIGNUM* e = number(key, "e");
  OSSL_PARAM_BLD* build = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(build);
  EVP_PKEY_CTX* from = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* public_key = nullptr;
  EVP_PKEY_fromdata_init(from);
  EVP_PKEY_fromdata(from, &public_key, EVP_PKEY_PUBLIC_KEY, parameters);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, public_key);
  const int result =
      EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                       reinterpret_cast<const unsigned char*>(content.data()), content.size());
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public_key);
  EVP_PKEY_CTX_free(from);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(build);
  BN_free(n);
  BN_free(e);
  return result == 1;
}

TEST(OidcSignerTest, SignsWhatItsKeySetVerifies) {
  const ManualClock clock;
  OidcSigner signer(clock);
  const auto token = signer.token("pusher@example.iam.gserviceaccount.com", "http://localhost/");
  const auto first = token.find('.');
  const auto second = token.rfind('.');
  const auto header = json::parse(decode(token.substr(0, first)));
  const auto claims = json::parse(decode(token.substr(first + 1, second - first - 1)));
  const auto keys = json::parse(signer.jwks());
  const auto& key = keys.at("keys").as_array().at(0);
  EXPECT_EQ(header.at("alg").as_string(), "RS256");
  EXPECT_EQ(header.at("kid"), key.at("kid"));
  EXPECT_EQ(claims.at("aud").as_string(), "http://localhost/");
  EXPECT_EQ(claims.at("email").as_string(), "pusher@example.iam.gserviceaccount.com");
  EXPECT_TRUE(claims.at("email_verified").as_bool());
  EXPECT_EQ(claims.at("iss").as_string(), "https://accounts.google.com");
  EXPECT_EQ(claims.at("exp").as_int64() - claims.at("iat").as_int64(), 3600);
  auto signature = decode(token.substr(second + 1));
  EXPECT_TRUE(verifies(token.substr(0, second), signature, key));
  signature[0] = static_cast<char>(signature[0] ^ 1);
  EXPECT_FALSE(verifies(token.substr(0, second), signature, key));
}

TEST(OidcSignerTest, RenewsATokenBeforeItEnds) {
  ManualClock clock;
  OidcSigner signer(clock);
  const auto first = signer.token("a@b", "c");
  clock.advance(54min);
  EXPECT_EQ(signer.token("a@b", "c"), first);
  EXPECT_NE(signer.token("a@b", "d"), first);
  clock.advance(2min);
  EXPECT_NE(signer.token("a@b", "c"), first);
}

}  // namespace
}  // namespace cfd::emulator
