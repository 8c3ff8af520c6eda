#include "codec/base64.hpp"

#include <gtest/gtest.h>

namespace cfd::codec {
namespace {

TEST(Base64, MatchesTheVectorsOfTheRfc) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(encode_base64(bytes), text);
    std::string decoded;
    EXPECT_TRUE(decode_base64(text, decoded)) << text;
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64, RoundTripsEveryByte) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (std::size_t size = 0; size <= all.size(); ++size) {
    std::string decoded;
    ASSERT_TRUE(decode_base64(encode_base64(all.substr(0, size)), decoded));
    EXPECT_EQ(decoded, all.substr(0, size));
  }
}

TEST(Base64, TakesUrlSafeAndUnpaddedText) {
  std::string decoded;
  EXPECT_TRUE(decode_base64("-_8", decoded));
  EXPECT_EQ(decoded, "\xfb\xff");
}

TEST(Base64, RefusesWhatNoEncoderMakes) {
  std::string decoded;
  for (const char* text :
       {"Z", "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", "Zm9v!", "Zm 9v", "Zg==Zg=="})
    EXPECT_FALSE(decode_base64(text, decoded)) << text;
}

}  // namespace
}  // namespace cfd::codec
