// A signed message, as docs/wire-format.md says: made by another program, byte for byte what this one makes.
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cfd/error.hpp>

#include "settings/settings.hpp"
#include "signing/signature.hpp"

namespace cfd::signing {
namespace {

constexpr const char* key = "2026-01:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::int64_t signed_at = 1'700'000'000;

struct SignedTest : ::testing::Test {
  SignedTest() {
    std::ifstream file(std::filesystem::path(CFD_WIRE_DIRECTORY) / "signed.message", std::ios::binary);
    for (std::string line; std::getline(file, line) && !line.empty();) {
      const std::size_t colon = line.find(": ");
      message[line.substr(0, colon)] = line.substr(colon + 2);
    }
    data.assign(std::istreambuf_iterator<char>(file), {});
  }

  std::string verify(const Keys& with, std::int64_t now = signed_at) {
    return signing::verify(with, content(), now);
  }

  Content content() {
    attributes.clear();
    for (const auto& [name, value] : message) attributes.push_back({name, value});
    return {attributes, ordering_key, data};
  }

  std::map<std::string, std::string> message;
  std::vector<Attribute> attributes;
  std::string ordering_key;
  std::string data;
  Keys keys{parse_keys(key), {}};
};

TEST_F(SignedTest, TheGoldenFileIsWhatThisVersionWritesAndVerifies) {
  ASSERT_FALSE(data.empty());
  EXPECT_EQ(verify(keys), "");
  const std::string golden = message.at("hmac");
  message.erase("hmac");
  EXPECT_EQ(sign(keys, content(), signed_at), golden);
  EXPECT_EQ(canonical_head(content(), "2026-01", "1700000000"),
            "10:cfd-hmac-1,7:2026-01,10:1700000000,7:call_id,32:0123456789abcdef0123456789abcdef,3:cfd,1:1,"
            "8:function,10:wire.greet,9:signature,16:0a4e5ccd7ae80d17,0:,0:,");
}

TEST_F(SignedTest, AnyChangeOfWhatIsSignedIsFound) {
  const auto original = message;
  for (const char* name : {"call_id", "cfd", "function", "signature"}) {
    message = original;
    message[name] += "0";
    EXPECT_NE(verify(keys), "") << name;
    message.erase(name);
    EXPECT_NE(verify(keys), "") << name;
  }
  for (const char* name : {"content_type", "content_encoding"}) {
    message = original;
    message[name] = "application/json";
    EXPECT_NE(verify(keys), "") << name;
  }
  message = original;
  ordering_key = "k";
  EXPECT_NE(verify(keys), "");
  ordering_key.clear();
  data += '\0';
  EXPECT_NE(verify(keys), "");
}

TEST_F(SignedTest, WhatComesOnTheWayChangesNothing) {
  message["googclient_traceparent"] = "00-1-2-01";
  message["CloudPubSubDeadLetterSourceDeliveryCount"] = "5";
  message["user-agent"] = "CloudPubSub-Google";
  EXPECT_EQ(verify(keys), "");
}

TEST_F(SignedTest, AFieldCannotBecomePartOfAnother) {
  const std::array one{Attribute{"call_id", "a"}, Attribute{"function", "b"}};
  const std::array other{Attribute{"call_id", "a,8:function,1:b"}};
  EXPECT_NE(sign(keys, {one, "", ""}, 1), sign(keys, {other, "", ""}, 1));
  EXPECT_NE(sign(keys, {one, "x", ""}, 1), sign(keys, {one, "", "x"}, 1));
}

TEST_F(SignedTest, AMalformedSignatureIsRefused) {
  const std::string good = message.at("hmac");
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string(";;"), good.substr(0, good.size() - 1), good + "0",
        "other" + good, std::string("2026-01;-1;") + good.substr(19),
        std::string("2026-01;99999999999999999999;") + good.substr(19)}) {
    message["hmac"] = bad;
    EXPECT_NE(verify(keys), "") << bad;
  }
}

TEST_F(SignedTest, KeysRotate) {
  const std::string second = "next:" + std::string(64, 'a');
  EXPECT_EQ(verify({parse_keys(second + "," + key), {}}), "")
      << "the new one signs, the old one still counts";
  EXPECT_NE(verify({parse_keys(second), {}}), "") << "the old one is gone";
  EXPECT_NE(verify({parse_keys("2026-01:" + std::string(64, 'a')), {}}), "") << "another key of the same id";
}

TEST_F(SignedTest, AnAgeAndAClockCount) {
  keys.max_age = std::chrono::minutes(10);
  EXPECT_EQ(verify(keys, signed_at + 600), "");
  EXPECT_NE(verify(keys, signed_at + 601), "");
  EXPECT_EQ(verify(keys, signed_at - 30), "");
  EXPECT_NE(verify(keys, signed_at - 300), "");
}

TEST_F(SignedTest, KeysComeFromAFile) {
  const auto path = std::filesystem::temp_directory_path() / ("cfd-keys-" + std::to_string(getpid()));
  std::ofstream(path) << key << "\nnext:" << std::string(64, 'b') << "\n";
  const auto read = parse_keys("file:" + path.string());
  ASSERT_EQ(read.size(), 2U);
  EXPECT_EQ(read[0].bytes, keys.all[0].bytes);
  EXPECT_EQ(read[1].id, "next");
  std::ofstream(path) << "nonsense";
  EXPECT_THROW(parse_keys("file:" + path.string()), ConfigError);
  std::filesystem::remove(path);
  EXPECT_THROW(parse_keys("file:" + path.string()), ConfigError);
}

}  // namespace
}  // namespace cfd::signing
