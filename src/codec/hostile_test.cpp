// Bytes that nobody vouches for: what they may not do is take memory, time or the process.

#include <random>

#include <gtest/gtest.h>

#include <cfd/codec.hpp>

namespace cfd::detail {
namespace {

struct Wide {
  std::string a, b, c, d;
  std::vector<Wide> more;
};

template <class T>
std::string error_of(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  EXPECT_FALSE(Coder<T>::read(reader, value));
  return reader.error();
}

TEST(Hostile, LengthsBeyondTheMessageAreRefused) {
  EXPECT_EQ(error_of<std::string>("\xdb\xff\xff\xff\xff"), "a length of 4294967295 bytes where 0 are left");
  EXPECT_EQ(error_of<std::vector<std::byte>>("\xc6\x7f\xff\xff\xff"),
            "a length of 2147483647 bytes where 0 are left");
  EXPECT_EQ(error_of<std::vector<int>>("\xdd\xff\xff\xff\xff"), "an array of 4294967295 elements in 0 bytes");
  EXPECT_EQ((error_of<std::map<int, int>>("\xdf\xff\xff\xff\xff")),
            "a map of 4294967295 elements in 0 bytes");
  EXPECT_EQ(error_of<int>(std::string_view("\xd2\0\0", 3)), "expected int32, got integer");
  EXPECT_EQ(error_of<int>(""), "expected int32, got the end of the message");
  EXPECT_EQ(error_of<Value>("\xc1"), "expected a value, got an invalid byte");
}

TEST(Hostile, DepthIsBounded) {
  const std::string deep(1'000'000, '\x91');
  EXPECT_NE(error_of<Value>(deep).find("nested deeper than 100 levels"), std::string::npos);
  Reader reader(deep);
  EXPECT_FALSE(reader.skip());
}

TEST(Hostile, MemoryIsBoundedByTheMessage) {
  // Each empty array is one byte on the wire and sizeof(Wide) in memory.
  const std::uint32_t count = 1'000'000;
  std::string bytes = {'\xdd', '\x00', '\x0f', '\x42', '\x40'};
  bytes.append(count, '\x90');
  EXPECT_NE(error_of<std::vector<Wide>>(bytes).find("more than 48 bytes of memory"), std::string::npos);
}

TEST(Hostile, OrdinaryDataStaysWithinTheBudget) {
  Writer writer;
  writer.array(1'000'000);
  for (int i = 0; i < 1'000'000; ++i) writer.integer(1);
  for (const auto check : {+[](Reader& r) {
                             Value v;
                             return read_value(r, v);
                           },
                           +[](Reader& r) {
                             std::list<int> v;
                             return Coder<std::list<int>>::read(r, v);
                           },
                           +[](Reader& r) {
                             std::vector<std::uint64_t> v;
                             return Coder<decltype(v)>::read(r, v);
                           }}) {
    Reader reader(writer.written());
    EXPECT_TRUE(check(reader)) << reader.error();
  }
}

TEST(Hostile, RandomBytesNeverDoMoreThanFail) {
  std::mt19937 random(20200313);  // NOLINT: a fixed seed, so that a failure can be repeated
  std::string bytes;
  for (int round = 0; round < 20'000; ++round) {
    bytes.resize(random() % 64);
    for (char& byte : bytes) byte = static_cast<char>(random());
    Reader reader(bytes);
    Value value;
    if (read_value(reader, value)) {
      Writer writer;
      write_value(writer, value);
      Reader again(writer.written());
      Value same;
      EXPECT_TRUE(read_value(again, same));
    } else {
      EXPECT_FALSE(reader.error().empty());
    }
    Reader typed(bytes);
    std::vector<std::variant<Wide, std::map<std::string, int>, std::optional<double>>> target;
    const bool ok = Coder<decltype(target)>::read(typed, target);
    EXPECT_NE(ok, typed.failed());
  }
}

}  // namespace
}  // namespace cfd::detail
