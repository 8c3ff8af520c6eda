#include "emulator/preview.hpp"

#include <gmock/gmock.h>

#include <cfd/codec.hpp>

#include "cfd/pubsub/v1/pubsub.pb.h"
#include "codec/compression.hpp"
#include "emulator/wire.hpp"

namespace cfd::emulator {
namespace {

namespace v1 = pubsub::v1;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string message(const std::string& data, const std::map<std::string, std::string>& attributes = {}) {
  v1::PubsubMessage made;
  made.set_data(data);
  for (const auto& [key, value] : attributes) (*made.mutable_attributes())[key] = value;
  return made.SerializeAsString();
}

std::string arguments(const Value::Array& args, const Value::Map& kwargs = {}) {
  detail::Writer writer;
  detail::write_value(writer, Value(Value::Array{Value(args), Value(kwargs)}));
  return std::string(writer.written());
}

const std::map<std::string, std::string> call{{"function", "functions.my_func"}, {"cfd", "1"}};

TEST(PreviewTest, ShowsACallAsACall) {
  EXPECT_EQ(preview_of(message(arguments({1, 2}), call)).call, "functions.my_func(1, 2)");
  EXPECT_EQ(preview_of(message(arguments({"a\"b"}, {{"x", 7}}), call)).call,
            R"(functions.my_func("a\"b", x=7))");
  EXPECT_EQ(preview_of(message(arguments({}), call)).call, "functions.my_func()");
}

TEST(PreviewTest, ShowsACompressedCall) {
  auto attributes = call;
  attributes["content_encoding"] = "zstd";
  std::string compressed;
  ASSERT_TRUE(codec::compress_zstd(arguments({std::string(5000, 'x')}), compressed));
  const auto preview = preview_of(message(compressed, attributes));
  EXPECT_THAT(preview.call, StartsWith("functions.my_func(\"xxxx"));
  EXPECT_TRUE(preview.truncated);
  EXPECT_EQ(preview.size, compressed.size());
}

TEST(PreviewTest, ShowsAJsonCall) {
  EXPECT_EQ(
      preview_of(message(R"({"function": "functions.my_func", "args": [1, 2], "kwargs": {"cheer": "yay"}})"))
          .call,
      R"(functions.my_func(1, 2, cheer="yay"))");
}

TEST(PreviewTest, ShowsWhatIsNoCallAsTextOrDigits) {
  EXPECT_EQ(preview_of(message("hello\n")).text, "hello\n");
  EXPECT_EQ(preview_of(message(R"({"some": "json"})")).text, R"({"some": "json"})");
  const auto binary = preview_of(message(std::string("\x00\xff", 2)));
  EXPECT_EQ(binary.text, "00 ff");
  EXPECT_TRUE(binary.binary);
  EXPECT_THAT(preview_of(message("no arguments", call)).call, IsEmpty());
}

TEST(PreviewTest, IsBoundedAndValidWhateverComes) {
  auto attributes = call;
  attributes["content_encoding"] = "zstd";
  std::string bomb;
  ASSERT_TRUE(codec::compress_zstd(arguments({std::string(50U << 20U, 'x')}), bomb));
  EXPECT_THAT(preview_of(message(bomb, attributes)).call, IsEmpty());
  EXPECT_THAT(preview_of(message(std::string(10'000, '\x91'), call)).call, IsEmpty());  // nested too deep
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "é";
  const auto cut = preview_of(message("x" + text));
  EXPECT_TRUE(cut.truncated);
  EXPECT_FALSE(cut.binary);
  EXPECT_TRUE(wire::is_utf8(cut.text));
  const auto invalid = preview_of(message(arguments({std::string("\xff")}), call));
  EXPECT_TRUE(wire::is_utf8(invalid.call));
  EXPECT_TRUE(wire::is_utf8(invalid.text));
}

}  // namespace
}  // namespace cfd::emulator
