#include <limits>

#include <gtest/gtest.h>

#include <cfd/codec.hpp>

namespace cfd {
namespace {

TEST(Value, PrintsAsJson) {
  EXPECT_EQ(to_string(Value()), "null");
  EXPECT_EQ(to_string(Value(true)), "true");
  EXPECT_EQ(to_string(Value(-7)), "-7");
  EXPECT_EQ(to_string(Value(UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(to_string(Value(1.0)), "1.0");
  EXPECT_EQ(to_string(Value(0.1)), "0.1");
  EXPECT_EQ(to_string(Value(std::numeric_limits<double>::quiet_NaN())), "nan");
  EXPECT_EQ(to_string(Value("a\"\n\x01\\")), R"("a\"\n\u0001\\")");
  EXPECT_EQ(to_string(Value(Value::Bytes{std::byte{0}, std::byte{255}})), R"(b"\x00\xff")");
  EXPECT_EQ(to_string(Value(Value::Array{1, "a"})), R"([1, "a"])");
  EXPECT_EQ(to_string(Value(Value::Map{{"x", 7}, {1, Value()}})), R"({"x": 7, 1: null})");
}

TEST(Value, FormatsArgsAndKwargsAsTheEchoSampleShows) {
  Kwargs kwargs;
  kwargs.set("x", 7);
  EXPECT_EQ(fmt::format("echo called with args={}, kwargs={}", Args({1, "a"}), kwargs),
            R"(echo called with args=[1, "a"], kwargs={"x": 7})");
}

TEST(Value, ConvertsToAndFromTypes) {
  using Type = std::map<std::string, std::vector<std::optional<double>>>;
  const Type typed{{"a", {1.5, std::nullopt}}};
  const Value value = to_value(typed);
  EXPECT_EQ(value, Value(Value::Map{{"a", Value::Array{1.5, nullptr}}}));
  EXPECT_EQ(from_value<Type>(value), typed);
  EXPECT_THROW((void)from_value<int>(Value("a")), CallError);
}

TEST(Value, KeepsEachKindThroughTheWire) {
  const Value value(Value::Array{Value(), true, INT64_MIN, UINT64_MAX, 1.5, "text", Value::Bytes(300),
                                 Value::Map{{"k", Value::Array{}}}});
  EXPECT_EQ(from_value<Value>(value), value);
}

TEST(Kwargs, FindsReplacesAndReports) {
  Kwargs kwargs;
  kwargs.set("a", 1);
  kwargs.set("a", 2);
  ASSERT_EQ(kwargs.size(), 1U);
  EXPECT_EQ(kwargs["a"], Value(2));
  EXPECT_EQ(kwargs.find("b"), nullptr);
  EXPECT_THROW((void)kwargs["b"], std::out_of_range);
}

}  // namespace
}  // namespace cfd
