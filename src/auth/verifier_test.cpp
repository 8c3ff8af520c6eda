// Tokens that let a push in, and all the ways in which others do not.
#include "auth/verifier.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include "auth/test_key.hpp"

namespace cfd::auth {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

const TestKey& key() {
  static const TestKey made("k1");
  return made;
}

std::unique_ptr<Verifier> verifier_with(const std::string& keys) {
  return std::make_unique<Verifier>(
      http::AuthenticatorConfig{"pusher@example.com", "https://worker", "https://keys"}, KeySet::Times{},
      [keys](const std::string&, const std::stop_token&) { return Fetched{.body = keys, .error = {}}; });
}

class VerifierTest : public ::testing::Test {
 protected:
  Refusal check(const std::string& token) { return verifier_->check("Bearer " + token); }

  Refusal with(const char* claim, const json::value& value) {
    json::object claims = good_claims();
    claims[claim] = value;
    return check(key().sign(claims));
  }
  Refusal without(const char* claim) {
    json::object claims = good_claims();
    claims.erase(claim);
    return check(key().sign(claims));
  }
  Refusal with_header(const json::object& header) { return check(key().sign(header, good_claims())); }

  static std::int64_t now() { return good_claims().at("iat").as_int64(); }

  std::unique_ptr<Verifier> verifier_ = verifier_with(key_set(key()));
};

TEST_F(VerifierTest, AGoodTokenMayCallAndMayCallAgain) {
  const std::string token = key().sign(good_claims());
  EXPECT_EQ(check(token).status, 0) << check(token).reason;
  EXPECT_EQ(check(token).status, 0);
  EXPECT_EQ(verifier_->check("bearer " + token).status, 0) << "the scheme is case-insensitive";
  EXPECT_EQ(verifier_->refuse("Bearer " + token), 0);
}

TEST_F(VerifierTest, NoTokenIsUnauthenticated) {
  for (const char* header : {"", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"})
    EXPECT_EQ(verifier_->check(header).status, 401) << header;
}

TEST_F(VerifierTest, WhatIsNoTokenIsUnauthenticated) {
  const std::string good = key().sign(good_claims());
  for (const std::string& bad :
       {std::string("x"), std::string("a.b"), std::string("a.b.c"), good + ".x", good + "=", "." + good,
        good.substr(0, good.rfind('.') + 1), good.substr(0, good.size() - 4), std::string(100'000, 'a'),
        std::string("....")})
    EXPECT_EQ(check(bad).status, 401) << bad.substr(0, 60);
}

TEST_F(VerifierTest, AChangedTokenIsUnauthenticated) {
  const std::string good = key().sign(good_claims());
  EXPECT_EQ(check(good).status, 0);
  const std::size_t first = good.find('.');
  const std::size_t second = good.rfind('.');
  json::object claims = good_claims();
  claims["email"] = "other@example.com";
  const std::string forged =
      good.substr(0, first + 1) + base64url(json::serialize(claims)) + good.substr(second);
  EXPECT_EQ(check(forged).status, 401);
  EXPECT_THAT(check(forged).reason, HasSubstr("signature"));
}

TEST_F(VerifierTest, ATokenOfAnotherKeyIsUnauthenticated) {
  EXPECT_EQ(check(TestKey("k1").sign(good_claims())).status, 401) << "the same id, another key";
  EXPECT_EQ(check(TestKey("k2").sign(good_claims())).status, 401);
}

// "none" is no signature; HS256 with the public key as its secret is one that anybody can make.
TEST_F(VerifierTest, TheTokenDoesNotChooseTheAlgorithm) {
  for (const char* algorithm : {"none", "None", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", ""})
    EXPECT_EQ(with_header({{"alg", algorithm}, {"kid", "k1"}}).status, 401) << algorithm;
  const std::string content = base64url(json::serialize(json::object{{"alg", "HS256"}, {"kid", "k1"}})) +
                              "." + base64url(json::serialize(good_claims()));
  const std::string public_key(key().entry().at("n").as_string());
  std::string mac(32, '\0');
  unsigned size = 32;
  HMAC(EVP_sha256(), public_key.data(), static_cast<int>(public_key.size()),
       reinterpret_cast<const unsigned char*>(content.data()), content.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  EXPECT_THAT(check(content + "." + base64url(mac)).reason, HasSubstr("RS256"));
  EXPECT_EQ(with_header({{"alg", "RS256"}}).status, 401) << "no key named";
  EXPECT_EQ(with_header({{"alg", "RS256"}, {"kid", "k1"}, {"crit", json::array{"b64"}}}).status, 401);
}

TEST_F(VerifierTest, TimesCountWithALittleLeeway) {
  EXPECT_EQ(with("exp", now() - leeway_seconds - 5).status, 401);
  EXPECT_EQ(with("exp", now() - 5).status, 0);
  EXPECT_EQ(with("iat", now() + leeway_seconds + 60).status, 401);
  EXPECT_EQ(with("nbf", now() + leeway_seconds + 60).status, 401);
  EXPECT_EQ(with("iat", now() + 5).status, 0);
  EXPECT_EQ(with("exp", "tomorrow").status, 401);
  EXPECT_EQ(without("exp").status, 401);
  EXPECT_EQ(without("iat").status, 401);
}

TEST_F(VerifierTest, SomebodyElseIsForbidden) {
  EXPECT_EQ(with("aud", "https://other").status, 403);
  EXPECT_EQ(with("aud", json::array{"https://worker"}).status, 403);
  EXPECT_EQ(with("email", "other@example.com").status, 403);
  EXPECT_EQ(with("email", "pusher@example.com.evil.com").status, 403);
  EXPECT_EQ(with("email_verified", false).status, 403);
  EXPECT_EQ(with("email_verified", "true").status, 403);
  for (const char* claim : {"aud", "email", "email_verified"}) EXPECT_EQ(without(claim).status, 403) << claim;
}

TEST_F(VerifierTest, AnotherIssuerIsUnauthenticated) {
  EXPECT_EQ(with("iss", "https://accounts.google.com.evil.com").status, 401);
  EXPECT_EQ(with("iss", "accounts.google.com").status, 0);
  EXPECT_EQ(without("iss").status, 401);
}

TEST_F(VerifierTest, CloudRunsOwnVerificationIsExplained) {
  const std::string good = key().sign(good_claims());
  const Refusal refusal = check(good.substr(0, good.rfind('.') + 1) + "SIGNATURE_REMOVED_BY_GOOGLE");
  EXPECT_EQ(refusal.status, 401);
  EXPECT_THAT(refusal.reason, HasSubstr("--allow-unauthenticated"));
}

TEST(Verifier, WithoutKeysItIsNotToBeTold) {
  for (const char* keys :
       {"", "no json", "{}", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]})"})
    EXPECT_EQ(verifier_with(keys)->check("Bearer " + key().sign(good_claims())).status, 503) << keys;
}

TEST(Verifier, AShortKeyIsNoKey) {
  const TestKey weak("weak", 1024);
  EXPECT_EQ(verifier_with(key_set(weak))->check("Bearer " + weak.sign(good_claims())).status, 503);
}

TEST(Verifier, AKeyForSomethingElseIsPassedOver) {
  json::object entry = key().entry();
  entry["use"] = "enc";
  const std::string keys = json::serialize(json::object{{"keys", json::array{entry}}});
  EXPECT_EQ(verifier_with(keys)->check("Bearer " + key().sign(good_claims())).status, 503);
}

}  // namespace
}  // namespace cfd::auth
