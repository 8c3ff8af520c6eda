#include "codec/base64.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cfd::codec {
namespace {

std::optional<std::string> decoded(std::string text) {
  const auto bytes = decode_base64(text);
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

TEST(Base64, TheTestVectorsOfRfc4648) {
  EXPECT_EQ(decoded(""), "");
  EXPECT_EQ(decoded("Zg=="), "f");
  EXPECT_EQ(decoded("Zm8="), "fo");
  EXPECT_EQ(decoded("Zm9v"), "foo");
  EXPECT_EQ(decoded("Zm9vYg=="), "foob");
  EXPECT_EQ(decoded("Zm9vYmE="), "fooba");
  EXPECT_EQ(decoded("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decoded("+/+/"), "\xfb\xff\xbf");
}

TEST(Base64, WhatIsNotCanonicalIsRefused) {
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Z===", "Zm9v=", "Zg==Zg==", "Zm9=Zm9v",
                          "Zm 9", "Zm9\n", "-_-_", "Zh==", "Zm9=", "Zm9v\xc3\xa4==", "Z=g="})
    EXPECT_EQ(decoded(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace cfd::codec
