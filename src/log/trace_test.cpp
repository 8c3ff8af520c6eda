#include "log/trace.hpp"

#include <string>

#include <gtest/gtest.h>

namespace cfd::log {
namespace {

std::string forwarded(std::string_view text) {
  const auto trace = parse_trace(text);
  if (!trace) return "none";
  const auto form = to_traceparent(*trace);
  return {form.data(), form.size()};
}

TEST(Trace, IsForwardedInTheFormOfW3C) {
  EXPECT_EQ(forwarded("00-105445aa7843bc8bf206b12000100000-00f067aa0ba902b7-01"),
            "00-105445aa7843bc8bf206b12000100000-00f067aa0ba902b7-01");
  EXPECT_EQ(forwarded("105445AA7843BC8BF206B12000100000/1;o=1"),
            "00-105445aa7843bc8bf206b12000100000-0000000000000001-01");
  EXPECT_EQ(forwarded("105445aa7843bc8bf206b12000100000/18446744073709551615;o=0"),
            "00-105445aa7843bc8bf206b12000100000-ffffffffffffffff-00");
}

TEST(Trace, WithoutASpanHasOneOfItsOwnIdThatIsNotZero) {
  EXPECT_EQ(forwarded("105445aa7843bc8bf206b12000100000"),
            "00-105445aa7843bc8bf206b12000100000-105445aa7843bc8b-00");
  const std::string form = forwarded("0000000000000000f206b12000100000;o=1");
  EXPECT_EQ(form, "00-0000000000000000f206b12000100000-f206b12000100000-01");
  EXPECT_TRUE(parse_traceparent(form).has_value());
}

TEST(Trace, WhatNamesNoTraceIsNotForwarded) {
  for (const char* text :
       {"", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "hello", "105445aa/1"})
    EXPECT_EQ(forwarded(text), "none") << text;
}

}  // namespace
}  // namespace cfd::log
