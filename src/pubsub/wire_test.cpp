#include "pubsub/wire.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace cfd::pubsub::wire {
namespace {

TEST(Wire, WritesVarintsOfEverySize) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128},
                                    std::uint64_t{300}, std::uint64_t{1} << 35U, UINT64_MAX}) {
    std::array<char, 16> bytes{};
    char* const end = put_varint_field(bytes.data(), 3, value);
    EXPECT_EQ(end - bytes.data(), static_cast<std::ptrdiff_t>(1 + varint_size(value)));
    Reader reader({bytes.data(), static_cast<std::size_t>(end - bytes.data())});
    Field field;
    ASSERT_TRUE(reader.next(field));
    EXPECT_EQ(field.number, 3U);
    EXPECT_EQ(field.value, value);
    EXPECT_FALSE(reader.next(field));
    EXPECT_TRUE(reader.ok());
  }
}

TEST(Wire, ReadsEveryKindOfFieldAndSkipsNone) {
  using namespace std::string_literals;
  const std::string message =
      "\x08\x96\x01"s + "\x12\x02hi"s + "\x1d\x01\x02\x03\x04"s + "\x21\x01\x02\x03\x04\x05\x06\x07\x08"s;
  Reader reader(message);
  Field field;
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.value, 150U);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.bytes, "hi");
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.type, Type::fixed32);
  ASSERT_TRUE(reader.next(field));
  EXPECT_EQ(field.type, Type::fixed64);
  EXPECT_FALSE(reader.next(field));
  EXPECT_TRUE(reader.ok());
}

TEST(Wire, RefusesWhatIsMalformed) {
  using namespace std::string_literals;
  for (const std::string& message : {
           "\x08"s,                                              // a varint that does not begin
           "\x08\x80"s,                                          // one that does not end
           "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,  // one of more than 64 bits
           "\x12\x05hi"s,                                        // bytes beyond the end
           "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,      // a length that would overflow
           "\x1d\x01"s,                                          // half a fixed field
           "\x0b"s,                                              // a group
           "\x00\x01"s,                                          // field number zero
       }) {
    Reader reader(message);
    Field field;
    EXPECT_FALSE(reader.next(field));
    EXPECT_FALSE(reader.ok());
    EXPECT_FALSE(reader.next(field));
  }
}

}  // namespace
}  // namespace cfd::pubsub::wire
