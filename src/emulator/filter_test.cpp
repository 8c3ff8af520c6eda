#include "emulator/filter.hpp"

#include <gmock/gmock.h>

#include "cfd/pubsub/v1/pubsub.pb.h"

namespace cfd::emulator {
namespace {

using ::testing::HasSubstr;

std::string message(const std::map<std::string, std::string>& attributes) {
  pubsub::v1::PubsubMessage message;
  message.mutable_attributes()->insert(attributes.begin(), attributes.end());
  return message.SerializeAsString();
}

bool matches(std::string_view text, const std::map<std::string, std::string>& attributes) {
  Filter filter;
  const auto status = Filter::parse(text, filter);
  EXPECT_TRUE(status.ok()) << text << ": " << status.message;
  return filter.matches(message(attributes));
}

TEST(FilterTest, AnEmptyFilterMatchesEverything) {
  EXPECT_TRUE(matches("", {}));
}

TEST(FilterTest, ComparesAttributes) {
  EXPECT_TRUE(matches("attributes:name", {{"name", ""}}));
  EXPECT_FALSE(matches("attributes:name", {{"other", "x"}}));
  EXPECT_TRUE(matches("attributes.name = \"com\"", {{"name", "com"}}));
  EXPECT_FALSE(matches("attributes.name = \"com\"", {{"name", "org"}}));
  EXPECT_TRUE(matches("attributes.name != \"com\"", {{"name", "org"}}));
  EXPECT_TRUE(matches("attributes.name != \"com\"", {})) << "an absent key is unequal";
  EXPECT_TRUE(matches("hasPrefix(attributes.function, \"images.\")", {{"function", "images.resize"}}));
  EXPECT_FALSE(matches("hasPrefix(attributes.function, \"images.\")", {{"function", "ml.train"}}));
}

TEST(FilterTest, KeysMayBeQuotedAndValuesEscaped) {
  EXPECT_TRUE(matches("attributes:\"iana.org/language_tag\"", {{"iana.org/language_tag", "de"}}));
  EXPECT_TRUE(matches(R"(attributes.k = "a\"b\\c")", {{"k", R"(a"b\c)"}}));
}

TEST(FilterTest, CombinesWithConnectives) {
  const std::map<std::string, std::string> both{{"a", "1"}, {"b", "2"}};
  EXPECT_TRUE(matches("attributes:a AND attributes:b", both));
  EXPECT_FALSE(matches("attributes:a AND attributes:c", both));
  EXPECT_TRUE(matches("attributes:c OR attributes:b", both));
  EXPECT_TRUE(matches("NOT attributes:c", both));
  EXPECT_FALSE(matches("-attributes:a", both));
  EXPECT_TRUE(matches("attributes:a AND (attributes:c OR NOT attributes.b = \"3\")", both));
  EXPECT_TRUE(matches("NOT (attributes:c OR attributes:d) AND attributes:a", both));
}

TEST(FilterTest, SaysWhereAFilterIsMalformed) {
  Filter filter;
  for (const auto* text : {"attributes", "attributes.name", "attributes.name = com", "attributes:a AND",
                           "attributes:a attributes:b", "(attributes:a", "hasPrefix(attributes.a)",
                           "name = \"x\"", "attributes:a and attributes:b", "attributes.a = \"open"}) {
    const auto status = Filter::parse(text, filter);
    EXPECT_EQ(status.code, Code::invalid_argument) << text;
    EXPECT_THAT(status.message, HasSubstr("at character")) << text;
  }
  EXPECT_THAT(Filter::parse("attributes:a AND attributes:b OR attributes:c", filter).message,
              HasSubstr("parentheses"));
  EXPECT_THAT(Filter::parse("attributes:" + std::string(250, 'a'), filter).message, HasSubstr("256"));
}

}  // namespace
}  // namespace cfd::emulator
